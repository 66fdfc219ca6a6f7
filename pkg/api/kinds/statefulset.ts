import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { StatefulSet, StatefulSetSpec } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label } from '../validation/names.ts';
import {
  checkName,
  intOrPercent,
  intOrPercentValue,
  nonNegative,
  notMoreThan100Percent,
} from '../validation/values.ts';
import { validateClaimSpec } from './claim-validation.ts';
import { claimSpecWarnings } from './claim-warnings.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { templateWarnings } from './pod-warnings.ts';
import { childObject, defaultPlain, defaultPointer, defaultStatus, dropZero } from './shape.ts';
import { defaultClaimSpec } from './volume-defaults.ts';
import {
  collisionCountKept,
  countersWithinReplicas,
  isSelector,
  nonNegativeCounters,
  validateRestarts,
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

const statusCounters = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
];

export const statefulSetStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    defaultSpec(childObject(object, 'spec'));
    defaultStatus(object, { replicas: 0, availableReplicas: 0 });
  },
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 };
    dropMaxUnavailable(object, undefined);
  },
  prepareForUpdate(object, old) {
    dropMaxUnavailable(object, old);
  },
  validateName: isDNS1123Label,
  validate(object) {
    const { spec } = object as unknown as Object;
    return validateSpec(spec, { claims: true, serviceName: true, template: true });
  },
  validateUpdate(object, old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    const previous = old as unknown as Object;
    if (subresource === 'status') return validateStatus({ ...status }, { ...previous.status });
    const now: Record<string, unknown> = { ...spec };
    const before: Record<string, unknown> = { ...previous.spec };
    for (const name of mutableFields) {
      delete now[name];
      delete before[name];
    }
    const template = validateTemplate(previous.spec).length === 0;
    const errors = validateSpec(spec, { claims: false, serviceName: false, template });
    if (!equalJSON(now, before)) {
      const detail =
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
      errors.push(field.forbidden('spec', detail));
    }
    return errors;
  },
  warnings(object, old) {
    const { spec } = object as unknown as Object;
    if (old !== undefined && old.metadata.generation === object.metadata.generation) return [];
    const warnings = templateWarnings(spec?.template, 'spec.template');
    for (const [i, claim] of (spec?.volumeClaimTemplates ?? []).entries()) {
      warnings.push(...claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}]`));
    }
    if ((spec?.revisionHistoryLimit ?? 0) < 0) {
      const text = 'a negative value retains all historical revisions; a value >= 0 is recommended';
      warnings.push(`spec.revisionHistoryLimit: ${text}`);
    }
    return warnings;
  },
};

/** The gate of this field (MaxUnavailableStatefulSet) is off in v1.36: it stays only where it already is. */
function dropMaxUnavailable(object: KubeObject, old: DeepReadonly<KubeObject> | undefined): void {
  const inUse = (old as unknown as Object | undefined)?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
  if (inUse !== undefined && inUse !== null) return;
  delete (object as unknown as StatefulSet).spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function defaultSpec(spec: StatefulSetSpec): void {
  dropZero(spec, ['minReadySeconds']);
  defaultPlain(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = childObject<NonNullable<StatefulSetSpec['updateStrategy']>>(spec, 'updateStrategy');
  // Who names the strategy gets no details of it.
  if (!strategy.type) childObject(strategy, 'rollingUpdate');
  defaultPlain(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
    defaultPointer(strategy.rollingUpdate, 'partition', 0);
  }
  const retention = childObject(spec, 'persistentVolumeClaimRetentionPolicy');
  defaultPlain(retention, 'whenDeleted', 'Retain');
  defaultPlain(retention, 'whenScaled', 'Retain');
  defaultPointer(spec, 'replicas', 1);
  defaultPointer(spec, 'revisionHistoryLimit', 10);
  defaultPodTemplate(childObject(spec, 'template'));
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.kind = 'PersistentVolumeClaim';
    claim.apiVersion = 'v1';
    childObject(claim, 'metadata');
    defaultClaimSpec(childObject(claim, 'spec'));
    defaultStatus(claim, { phase: 'Pending' });
  }
}

/** What is looked at: claims and the name of the Service cannot be repaired, nor can a template that was bad before. */
interface Scope {
  readonly claims: boolean;
  readonly serviceName: boolean;
  readonly template: boolean;
}

function validateSpec(spec: DeepReadonly<StatefulSetSpec>, scope: Scope): field.FieldError[] {
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
  const claims = scope.claims ? (spec.volumeClaimTemplates ?? []) : [];
  errors.push(
    ...claims.flatMap((claim, i) => validateClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`)),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
  );
  if (scope.serviceName && spec.serviceName) {
    errors.push(...checkName(isDNS1123Label, spec.serviceName, 'spec.serviceName'));
  }
  errors.push(...validateWorkloadSelector(spec.selector, 'statefulset', 'spec.selector'));
  if (!isSelector(spec.selector)) errors.push(field.invalid('spec.selector', spec.selector, ''));
  else {
    errors.push(...validateTemplateLabels(spec.selector, spec.template, 'spec.template'));
    if (scope.template) errors.push(...validateTemplate(spec));
  }
  errors.push(...validateRestarts(spec.template, 'StatefulSet', 'spec.template'));
  return errors;
}

function validateTemplate(spec: DeepReadonly<StatefulSetSpec>): field.FieldError[] {
  return validatePodTemplate(spec.template, 'spec.template').filter((error) => !isClaimMount(error, spec));
}

function validateStatus(
  status: Readonly<Record<string, unknown>>,
  old: Readonly<Record<string, unknown>>,
): field.FieldError[] {
  return [
    ...nonNegativeCounters(status, statusCounters),
    ...countersWithinReplicas(
      status,
      ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
      'status.readyReplicas',
    ),
    ...collisionCountKept(status, old),
  ];
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
    errors.push(...intOrPercent(most, at));
    if (intOrPercentValue(most) === 0) errors.push(field.invalid(at, most, 'cannot be 0'));
    errors.push(...notMoreThan100Percent(most, at));
  }
  return errors;
}
