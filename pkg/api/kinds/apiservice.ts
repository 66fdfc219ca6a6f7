import { Buffer } from 'node:buffer';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { APIService } from '../generated/types.ts';
import { formatTime } from '../time.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label, isDNS1123Subdomain, isPathSegmentName, isValidPortNumber } from '../validation/names.ts';
import { checkName, supportedValue } from '../validation/values.ts';
import { childObject, defaultPointer } from './shape.ts';

export const apiServiceStrategy: Strategy = {
  default(object) {
    const { spec } = object as unknown as APIService;
    if (spec?.service) defaultPointer(spec.service, 'port', 443);
    childObject(object, 'status');
  },
  // The core group's is `v1.`.
  validateName: isPathSegmentName,
  allowUnconditionalUpdate: false,
  prepareForCreate(object, { nowMs }) {
    const isLocal = !(object as unknown as APIService).spec?.service;
    object.status = isLocal ? { conditions: [{ ...localCondition, lastTransitionTime: formatTime(nowMs) }] } : {};
  },
  validate: (object) => validateAPIService(object as unknown as DeepReadonly<APIService>),
  validateUpdate(object, _old, { subresource }) {
    const service = object as unknown as DeepReadonly<APIService>;
    return subresource === 'status' ? validateStatus(service.status) : validateAPIService(service);
  },
};

/** What this server answers for itself is there at once. */
const localCondition = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

function validateStatus(status: DeepReadonly<APIService>['status']): field.FieldError[] {
  return (status?.conditions ?? []).flatMap((condition, i) =>
    supportedValue(condition.status, ['True', 'False', 'Unknown'], `status.conditions[${i}].status`),
  );
}

function validateAPIService(service: DeepReadonly<APIService>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {};
  const expected = `${version}.${group}`;
  const { name = '' } = service.metadata;
  // A missing name, or what cannot be one, is reported for that alone.
  if (name !== '' && isPathSegmentName(name).length === 0 && name !== expected) {
    errors.push(field.invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: "${expected}"`));
  }
  if (group === '' && version !== 'v1') {
    errors.push(field.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (group !== '') errors.push(...checkName(isDNS1123Subdomain, group, 'spec.group'));
  errors.push(...checkName(isDNS1035Label, version, 'spec.version'));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const detail = 'must be positive and less than 20000';
    errors.push(field.invalid('spec.groupPriorityMinimum', groupPriorityMinimum, detail));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    errors.push(field.invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  }
  return [...errors, ...validateTarget(service.spec)];
}

/** Who answers: this server, or a Service whose certificate is checked in one way. */
function validateTarget(spec: DeepReadonly<APIService>['spec'] | undefined): field.FieldError[] {
  const { caBundle, insecureSkipTLSVerify: insecure, service } = spec ?? {};
  const errors: field.FieldError[] = [];
  if (!service) {
    if (caBundle) {
      const size = `${Buffer.from(caBundle, 'base64').length} bytes`;
      errors.push(field.invalid('spec.caBundle', size, 'local APIServices may not have a caBundle'));
    }
    if (insecure) {
      const detail = 'local APIServices may not have insecureSkipTLSVerify';
      errors.push(field.invalid('spec.insecureSkipTLSVerify', insecure, detail));
    }
    return errors;
  }
  if (!service.namespace) errors.push(field.required('spec.service.namespace'));
  if (!service.name) errors.push(field.required('spec.service.name'));
  const wrong = isValidPortNumber(service.port ?? 443);
  if (wrong.length > 0) {
    errors.push(field.invalid('spec.service.port', service.port, `port is not valid: ${wrong.join(', ')}`));
  }
  if (insecure && caBundle) {
    const detail = 'may not be true if caBundle is present';
    errors.push(field.invalid('spec.insecureSkipTLSVerify', insecure, detail));
  }
  return errors;
}
