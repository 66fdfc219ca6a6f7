import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ReplicationController, ReplicationControllerSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { nonNegative } from '../validation/values.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validateReplicaSetStatus } from './replicaset.ts';
import { childObject, defaultPointer, defaultStatus, dropZero, isZero } from './shape.ts';
import { selectorMismatch, validateRunningTemplate } from './workload-validation.ts';
import { workloadWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<ReplicationController>;

export const replicationControllerStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    const spec = childObject<ReplicationControllerSpec>(object, 'spec');
    const labels = spec.template?.metadata?.labels;
    if (labels && !isZero(labels)) {
      if (isZero(spec.selector)) spec.selector = { ...labels };
      if (isZero(object.metadata.labels)) object.metadata.labels = { ...labels };
    }
    dropZero(spec, ['minReadySeconds']);
    defaultPointer(spec, 'replicas', 1);
    if (spec.template) defaultPodTemplate(spec.template);
    defaultStatus(object, { replicas: 0 });
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate: (object) => validateSpec((object as unknown as Object).spec),
  validateUpdate(object, _old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    return subresource === 'status' ? validateReplicaSetStatus({ ...status }) : validateSpec(spec);
  },
  warnings: (object, old) =>
    // Upstream looks at the old template when there is a new one.
    workloadWarnings(object, old, ((old ?? object) as unknown as Object).spec?.template, 'spec.template'),
  // Core v1 keeps what was the rule before there was a garbage collector; apps and later groups delete.
  defaultPropagation: 'Orphan',
  selectableFields(object) {
    return { 'status.replicas': String((object as unknown as Object).status?.replicas ?? 0) };
  },
};

function validateSpec(spec: DeepReadonly<ReplicationControllerSpec>): field.FieldError[] {
  const errors = nonNegative(spec.minReadySeconds, 'spec.minReadySeconds');
  const hasSelector = !isZero(spec.selector);
  if (!hasSelector) errors.push(field.required('spec.selector'));
  errors.push(...nonNegative(spec.replicas, 'spec.replicas'));
  if (!spec.template) return [...errors, field.required('spec.template')];
  if (hasSelector) {
    const labels = spec.template.metadata?.labels;
    if (Object.entries(spec.selector ?? {}).some(([key, value]) => labels?.[key] !== value)) {
      errors.push(field.invalid('spec.template.metadata.labels', labels ?? null, selectorMismatch));
    }
  }
  errors.push(...validateRunningTemplate(spec.template, 'ReplicationController', 'spec.template'));
  return errors;
}
