import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../generated/types.ts';
import type { FieldError } from '../validation/field-error.ts';
import { immutable, nonNegative } from '../validation/values.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { templateWarnings } from './pod-warnings.ts';
import { childObject, defaultPointer, defaultStatus, dropZero } from './shape.ts';
import {
  validateReplicaStatus,
  validateRunningTemplate,
  validateTemplateLabels,
  validateWorkloadSelector,
} from './workload-validation.ts';

type Object = DeepReadonly<ReplicaSet>;

export const replicaSetStrategy: Strategy = {
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
    if (subresource === 'status') return validateReplicaStatus({ ...status }, replicaCounters);
    const before = (old as unknown as Object).spec;
    return [...validateSpec(spec), ...immutable(spec.selector, before.selector, 'spec.selector')];
  },
  warnings: (object) => templateWarnings((object as unknown as Object).spec?.template, 'spec.template'),
  selectableFields(object) {
    return { 'status.replicas': String((object as unknown as Object).status?.replicas ?? 0) };
  },
};

export const replicaCounters = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];

function validateSpec(spec: DeepReadonly<ReplicaSetSpec>): FieldError[] {
  return [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateWorkloadSelector(spec.selector, 'deployment', 'spec.selector'),
    ...validateTemplateLabels(spec.selector, spec.template, 'spec.template'),
    ...validateRunningTemplate(spec.template, 'ReplicaSet', 'spec.template'),
  ];
}
