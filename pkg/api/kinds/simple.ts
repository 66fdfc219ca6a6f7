/** Kinds with next to no rules of their own. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ControllerRevision, Lease, Scale, ServiceAccount } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { immutable, nonNegative } from '../validation/values.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';

export const serviceAccountStrategy: Strategy = {
  default: (object) => dropZero(object as unknown as ServiceAccount, ['secrets', 'imagePullSecrets']),
};

export const leaseStrategy: Strategy = {
  default: (object) => {
    childObject(object, 'spec');
  },
  validate: (object) => validateLease(object as unknown as DeepReadonly<Lease>),
  validateUpdate: (object) => validateLease(object as unknown as DeepReadonly<Lease>),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};

function validateLease(lease: DeepReadonly<Lease>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = lease.spec ?? {};
  if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    errors.push(field.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  errors.push(...nonNegative(leaseTransitions, 'spec.leaseTransitions'));
  if (preferredHolder && !strategy) {
    const detail = 'may only be specified when `strategy` is defined';
    errors.push(field.forbidden('spec.preferredHolder', detail));
  }
  return errors;
}

export const podTemplateStrategy: Strategy = {
  default: (object) => defaultPodTemplate(childObject(object, 'template')),
  validate: (object) => validatePodTemplate(object.template as never, 'template'),
  validateUpdate: (object) => validatePodTemplate(object.template as never, 'template'),
};

export const controllerRevisionStrategy: Strategy = {
  validate: (object) => nonNegative((object as unknown as DeepReadonly<ControllerRevision>).revision, 'revision'),
  validateUpdate: (object, old) => [
    ...nonNegative((object as unknown as DeepReadonly<ControllerRevision>).revision, 'revision'),
    ...immutable(object.data, old.data, 'data'),
  ],
};

/** The body of every scale subresource. */
export const scaleStrategy: Strategy = {
  default(object) {
    defaultPointer(childObject(object, 'spec'), 'replicas', 0);
  },
  validate: (object) => nonNegative((object as unknown as DeepReadonly<Scale>).spec?.replicas, 'spec.replicas'),
  validateUpdate: (object) => nonNegative((object as unknown as DeepReadonly<Scale>).spec?.replicas, 'spec.replicas'),
};
