import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../generated/types.ts';
import type { FieldError } from '../validation/field-error.ts';
import { immutable, nonNegative } from '../validation/values.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPointer, defaultStatus, dropZero } from './shape.ts';
import { countersWithinReplicas, nonNegativeCounters, validateReplicatedTemplate } from './workload-validation.ts';
import { workloadWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<ReplicaSet>;

export const replicaSetStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    const spec = childObject<ReplicaSetSpec>(object, 'spec');
    dropZero(spec, ['minReadySeconds']);
    defaultPointer(spec, 'replicas', 1);
    defaultPodTemplate(childObject(spec, 'template'));
    defaultStatus(object, { replicas: 0 });
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate: (object) => validateSpec((object as unknown as Object).spec),
  validateUpdate(object, old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    if (subresource === 'status') return validateReplicaSetStatus({ ...status });
    const before = (old as unknown as Object).spec;
    return [...validateSpec(spec), ...immutable(spec.selector, before.selector, 'spec.selector')];
  },
  warnings: (object, old) =>
    workloadWarnings(object, old, (object as unknown as Object).spec?.template, 'spec.template'),
  selectableFields(object) {
    return { 'status.replicas': String((object as unknown as Object).status?.replicas ?? 0) };
  },
};

const counters = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];

/** The status of a ReplicaSet or a ReplicationController. */
export function validateReplicaSetStatus(status: Readonly<Record<string, unknown>>): FieldError[] {
  return [
    ...nonNegativeCounters(status, ['replicas', ...counters, 'observedGeneration', 'terminatingReplicas']),
    ...countersWithinReplicas(status, counters, 'readyReplicas'),
  ];
}

function validateSpec(spec: DeepReadonly<ReplicaSetSpec>): FieldError[] {
  return [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateReplicatedTemplate(spec),
  ];
}
