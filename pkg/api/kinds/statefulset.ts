import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { StatefulSet, StatefulSetSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { intOrPercent, nonNegative, notMoreThan100Percent } from '../validation/values.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { templateWarnings } from './pod-warnings.ts';
import { childObject, defaultPlain, defaultPointer, defaultStatus, dropZero } from './shape.ts';
import { defaultClaimSpec } from './volume-defaults.ts';
import {
  validateReplicaStatus,
  validateRunningTemplate,
  validateTemplateLabels,
  validateWorkloadSelector,
} from './workload-validation.ts';

type Object = DeepReadonly<StatefulSet>;

const mutableFields = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export const statefulSetStrategy: Strategy = {
  default(object) {
    defaultSpec(childObject(object, 'spec'));
    defaultStatus(object, { replicas: 0, availableReplicas: 0 });
  },
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: (object) => validateSpec((object as unknown as Object).spec),
  validateUpdate(object, old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    if (subresource === 'status') {
      const counters = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];
      return validateReplicaStatus({ ...status }, counters);
    }
    const now: Record<string, unknown> = { ...spec };
    const before: Record<string, unknown> = { ...(old as unknown as Object).spec };
    for (const name of mutableFields) {
      delete now[name];
      delete before[name];
    }
    const errors = validateSpec(spec);
    if (!equalJSON(now, before)) {
      const detail =
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
      errors.push(field.forbidden('spec', detail));
    }
    return errors;
  },
  warnings: (object) => templateWarnings((object as unknown as Object).spec?.template, 'spec.template'),
};

function defaultSpec(spec: StatefulSetSpec): void {
  dropZero(spec, ['minReadySeconds']);
  defaultPlain(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = childObject<NonNullable<StatefulSetSpec['updateStrategy']>>(spec, 'updateStrategy');
  defaultPlain(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') defaultPointer(childObject(strategy, 'rollingUpdate'), 'partition', 0);
  const retention = childObject(spec, 'persistentVolumeClaimRetentionPolicy');
  defaultPlain(retention, 'whenDeleted', 'Retain');
  defaultPlain(retention, 'whenScaled', 'Retain');
  defaultPointer(spec, 'replicas', 1);
  defaultPointer(spec, 'revisionHistoryLimit', 10);
  defaultPodTemplate(childObject(spec, 'template'));
  for (const claim of spec.volumeClaimTemplates ?? []) {
    defaultPlain(claim, 'kind', 'PersistentVolumeClaim');
    defaultPlain(claim, 'apiVersion', 'v1');
    childObject(claim, 'metadata');
    defaultClaimSpec(childObject(claim, 'spec'));
    defaultStatus(claim, { phase: 'Pending' });
  }
}

function validateSpec(spec: DeepReadonly<StatefulSetSpec>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const policy = spec.podManagementPolicy ?? '';
  if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(field.invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  errors.push(...validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'));
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[name] ?? '';
    if (value === 'Retain' || value === 'Delete') continue;
    const path = `spec.persistentVolumeClaimRetentionPolicy.${name}`;
    errors.push(field.notSupported(path, value, ['Retain', 'Delete']));
  }
  errors.push(
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...validateWorkloadSelector(spec.selector, 'statefulset', 'spec.selector'),
    ...validateTemplateLabels(spec.selector, spec.template, 'spec.template'),
    ...validateRunningTemplate(spec.template, 'StatefulSet', 'spec.template').filter(
      (error) => !isClaimMount(error, spec),
    ),
  );
  return errors;
}

/** Mounts may name a claim template, whose volume only the pods have. */
function isClaimMount(error: field.FieldError, spec: DeepReadonly<StatefulSetSpec>): boolean {
  if (error.type !== 'FieldValueNotFound' || !/\.volume(Mounts|Devices)\[\d+\]\.name$/.test(error.field)) return false;
  return (spec.volumeClaimTemplates ?? []).some((claim) => error.message === `Not found: "${claim.metadata?.name}"`);
}

function validateUpdateStrategy(
  strategy: DeepReadonly<NonNullable<StatefulSetSpec['updateStrategy']>>,
  path: string,
): field.FieldError[] {
  const rolling = strategy.rollingUpdate;
  if (strategy.type === 'OnDelete') {
    if (!rolling) return [];
    return [field.invalid(`${path}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'")];
  }
  if (strategy.type !== 'RollingUpdate') {
    return [field.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const errors = nonNegative(rolling?.partition, `${path}.rollingUpdate.partition`);
  const most = rolling?.maxUnavailable;
  if (most !== undefined && most !== null) {
    const at = `${path}.rollingUpdate.maxUnavailable`;
    errors.push(...intOrPercent(most, at), ...notMoreThan100Percent(most, at));
    if (most === 0 || most === '0%') errors.push(field.invalid(at, most, 'cannot be 0'));
  }
  return errors;
}
