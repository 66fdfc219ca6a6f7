/** Kinds with next to no rules of their own. */

import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ControllerRevision, Lease, PodTemplate, Scale, ServiceAccount } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { immutable, nonNegative } from '../validation/values.ts';
import { dropFromPodTemplate, dropFromSpec } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { validatePodTemplate } from './pod-validation.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';
import { changedTemplateWarnings } from './workload-warnings.ts';

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccountStrategy: Strategy = {
  default: (object) => dropZero(object as unknown as ServiceAccount, ['secrets', 'imagePullSecrets']),
  prepareForCreate: (object) => keepNamesOfSecrets(object as unknown as ServiceAccount),
  prepareForUpdate: (object) => keepNamesOfSecrets(object as unknown as ServiceAccount),
  warnings(object, old) {
    if (!isTrue(object.metadata.annotations) || isTrue(old?.metadata.annotations)) return [];
    const text = 'deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets';
    return [`metadata.annotations[${mountableSecrets}]: ${text}`];
  },
};

function isTrue(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(annotations?.[mountableSecrets] ?? '');
}

/** A secret of an account is one of its namespace: whatever else a reference says goes. */
function keepNamesOfSecrets(account: ServiceAccount): void {
  if (!account.secrets) return;
  account.secrets = account.secrets.map(({ name }) => (name ? { name } : {}));
}

export const leaseStrategy: Strategy = {
  // CoordinatedLeaderElection.
  dropDisabled: dropFromSpec('strategy', 'preferredHolder'),
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
  dropDisabled: dropFromPodTemplate,
  default: (object) => defaultPodTemplate(childObject(object, 'template')),
  validate: (object) => validatePodTemplate(object.template as never, 'template'),
  validateUpdate: (object) => validatePodTemplate(object.template as never, 'template'),
  warnings: (object, old) =>
    changedTemplateWarnings(object, old, (object as unknown as DeepReadonly<PodTemplate>).template, 'template'),
};

export const controllerRevisionStrategy: Strategy = {
  validate: (object) => validateRevision(object as unknown as DeepReadonly<ControllerRevision>),
  validateUpdate: (object, old) => [
    ...validateRevisionNumber(object as unknown as DeepReadonly<ControllerRevision>),
    ...immutable(object.data, old.data, 'data'),
  ],
};

function validateRevision(object: DeepReadonly<ControllerRevision>): field.FieldError[] {
  const errors = validateRevisionNumber(object);
  const data: unknown = object.data;
  if (data === undefined || data === null) errors.push(field.required('data', 'data is mandatory'));
  else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.push(field.required('data', 'data must be a valid JSON object'));
  }
  return errors;
}

function validateRevisionNumber({ revision }: DeepReadonly<ControllerRevision>): field.FieldError[] {
  return nonNegative(revision, 'revision');
}

/** The body of every scale subresource. */
export const scaleStrategy: Strategy = {
  default(object) {
    defaultPointer(childObject(object, 'spec'), 'replicas', 0);
  },
  validate: (object) => nonNegative((object as unknown as DeepReadonly<Scale>).spec?.replicas, 'spec.replicas'),
  validateUpdate: (object) => nonNegative((object as unknown as DeepReadonly<Scale>).spec?.replicas, 'spec.replicas'),
};
