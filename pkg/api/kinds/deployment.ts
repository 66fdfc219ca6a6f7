import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Deployment, DeploymentSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { immutable, nonNegative } from '../validation/values.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';
import {
  collisionCountKept,
  countersWithinReplicas,
  nonNegativeCounters,
  validateReplicatedTemplate,
  validateRolling,
} from './workload-validation.ts';
import { workloadWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<Deployment>;

export const deploymentStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    defaultDeploymentSpec(childObject(object, 'spec'), '25%');
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  specChanged(object, old) {
    return !equalJSON(object.spec, old.spec) || !equalJSON(object.metadata.annotations, old.metadata.annotations);
  },
  validate: (object) => validateDeploymentSpec((object as unknown as Object).spec),
  validateUpdate(object, old, { subresource }) {
    const errors = validateDeploymentUpdate(object, old, subresource);
    if (subresource === 'status') return errors;
    const [spec, before] = [(object as unknown as Object).spec, (old as unknown as Object).spec];
    return [...errors, ...immutable(spec.selector, before.selector, 'spec.selector')];
  },
  warnings: (object, old) =>
    workloadWarnings(object, old, (object as unknown as Object).spec?.template, 'spec.template'),
};

/** The rules of all versions; the selector of apps/v1 stays besides. */
export function validateDeploymentUpdate(object: unknown, old: unknown, subresource: string): field.FieldError[] {
  if (subresource === 'status') return validateDeploymentStatus(object as Object, old as Object);
  return validateDeploymentSpec((object as Object).spec);
}

/** `step`: how many pods a rolling update replaces at a time unless told otherwise. */
export function defaultDeploymentSpec(spec: Omit<DeploymentSpec, 'selector'>, step: number | string): void {
  dropZero(spec, ['minReadySeconds', 'paused']);
  defaultPointer(spec, 'replicas', 1);
  defaultPointer(spec, 'revisionHistoryLimit', 10);
  defaultPointer(spec, 'progressDeadlineSeconds', 600);
  const strategy = childObject<NonNullable<DeploymentSpec['strategy']>>(spec, 'strategy');
  defaultPlain(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = childObject(strategy, 'rollingUpdate');
    defaultPointer(rolling, 'maxUnavailable', step);
    defaultPointer(rolling, 'maxSurge', step);
  }
  defaultPodTemplate(childObject(spec, 'template'));
}

function validateDeploymentSpec(spec: DeepReadonly<DeploymentSpec>): field.FieldError[] {
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateReplicatedTemplate(spec),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (typeof deadline === 'number') {
    errors.push(...nonNegative(deadline, 'spec.progressDeadlineSeconds'));
    if (deadline <= (spec.minReadySeconds ?? 0)) {
      errors.push(field.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
    }
  }
  return errors;
}

function validateStrategy(
  strategy: DeepReadonly<NonNullable<DeploymentSpec['strategy']>>,
  path: string,
): field.FieldError[] {
  if (strategy.type === 'Recreate') {
    if (!strategy.rollingUpdate) return [];
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return [field.forbidden(`${path}.rollingUpdate`, detail)];
  }
  if (strategy.type !== 'RollingUpdate') return [field.notSupported(path, strategy, ['Recreate', 'RollingUpdate'])];
  return validateRolling(strategy.rollingUpdate ?? {}, `${path}.rollingUpdate`);
}

const statusCounters = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
];

function validateDeploymentStatus(deployment: Object, old: Object): field.FieldError[] {
  const status = { ...deployment.status };
  return [
    ...nonNegativeCounters(status, statusCounters),
    ...countersWithinReplicas(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], 'readyReplicas'),
    ...collisionCountKept(status, { ...old.status }),
  ];
}
