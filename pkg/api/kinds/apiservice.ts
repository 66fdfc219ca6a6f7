import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { APIService } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label, isDNS1123Subdomain, isPathSegmentName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
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
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateAPIService(object as unknown as DeepReadonly<APIService>),
  validateUpdate: (object, _old, { subresource }) =>
    subresource === '' ? validateAPIService(object as unknown as DeepReadonly<APIService>) : [],
};

function validateAPIService(service: DeepReadonly<APIService>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {};
  const expected = `${version}.${group}`;
  if (service.metadata.name !== expected) {
    errors.push(
      field.invalid('metadata.name', service.metadata.name, `must be \`spec.version+"."+spec.group\`: "${expected}"`),
    );
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
  return errors;
}
