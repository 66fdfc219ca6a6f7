/** Kinds with next to no rules of their own. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Lease, ServiceAccount } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { nonNegative } from '../validation/values.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { childObject, dropZero } from './shape.ts';

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
