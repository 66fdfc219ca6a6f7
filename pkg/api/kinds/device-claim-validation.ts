import type { DeepReadonly } from '../../base/json.ts';
import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import {
  validateDeviceToleration,
  validateEach,
  validateFullAttributeName,
  validateLabelName,
  validateOpaque,
  validateSet,
} from './device-validation.ts';

type FieldError = field.FieldError;

export const maxRequests = 32;
const maxConstraints = 32;
export const maxConfigs = 32;
const maxSelectors = 32;
const maxAlternatives = 8;
export const maxExpressionBytes = 10 * 1024;
const modes = ['All', 'ExactCount'];
const referenceText =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** Names of the requests of a claim, alternatives as `request/alternative`. */
export function requestNames(claim: DeepReadonly<DeviceClaim> | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, firstAvailable } of claim?.requests ?? []) {
    names.add(name);
    for (const alternative of firstAvailable ?? []) names.add(`${name}/${alternative.name}`);
  }
  return names;
}

/** What a claim asks for; what its expressions say is known once they are compiled. */
export function validateDeviceClaim(claim: DeepReadonly<DeviceClaim> | undefined, path: string): FieldError[] {
  const names = requestNames(claim);
  return [
    ...validateSet(claim?.requests, maxRequests, validateRequest, ({ name }) => name ?? '', `${path}.requests`),
    ...validateEach(
      claim?.constraints,
      maxConstraints,
      (constraint, at) => validateConstraint(constraint, names, at),
      `${path}.constraints`,
    ),
    ...validateEach(claim?.config, maxConfigs, (config, at) => validateConfig(config, names, at), `${path}.config`),
  ];
}

function validateRequest(request: DeepReadonly<DeviceRequest>, path: string): FieldError[] {
  const errors = validateLabelName(request.name, `${path}.name`);
  const { exactly, firstAvailable } = request;
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  const one = 'exactly one of `exactly` or `firstAvailable` is required';
  if (!exactly && !hasAlternatives) errors.push(field.required(path, one));
  else if (exactly && hasAlternatives) {
    errors.push(field.invalid(path, null, `${one}, but multiple fields are set`));
  } else if (exactly) errors.push(...validateDemand(exactly, `${path}.exactly`));
  else {
    const nameOf = ({ name }: DeepReadonly<DeviceSubRequest>): string => name ?? '';
    errors.push(...validateSet(firstAvailable, maxAlternatives, validateAlternative, nameOf, `${path}.firstAvailable`));
  }
  return errors;
}

function validateAlternative(request: DeepReadonly<DeviceSubRequest>, path: string): FieldError[] {
  return [...validateLabelName(request.name, `${path}.name`), ...validateDemand(request, path)];
}

function validateDemand(request: DeepReadonly<ExactDeviceRequest | DeviceSubRequest>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { deviceClassName, allocationMode: mode = '', count = 0 } = request;
  if (deviceClassName) errors.push(...checkName(isDNS1123Subdomain, deviceClassName, `${path}.deviceClassName`));
  else errors.push(field.required(`${path}.deviceClassName`));
  errors.push(...validateSelectors(request.selectors, `${path}.selectors`));
  if (mode === 'All') {
    if (count !== 0) {
      errors.push(field.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
    }
  } else if (mode === 'ExactCount') {
    if (count <= 0) errors.push(field.invalid(`${path}.count`, count, 'must be greater than zero'));
  } else errors.push(field.notSupported(`${path}.allocationMode`, mode, modes));
  const tolerations = request.tolerations ?? [];
  return [...errors, ...tolerations.flatMap((one, i) => validateDeviceToleration(one, `${path}.tolerations[${i}]`))];
}

export function validateSelectors(selectors: DeepReadonly<DeviceSelector[]> | undefined, path: string): FieldError[] {
  return validateEach(
    selectors,
    maxSelectors,
    ({ cel }, at) => {
      if (!cel) return [field.required(`${at}.cel`)];
      if (byteLength(cel.expression ?? '') <= maxExpressionBytes) return [];
      return [field.tooLong(`${at}.cel.expression`, maxExpressionBytes)];
    },
    path,
  );
}

function validateConstraint(
  constraint: DeepReadonly<DeviceConstraint>,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors = validateReferences(constraint.requests, names, `${path}.requests`);
  const { matchAttribute: match, distinctAttribute: distinct } = constraint;
  if (match !== undefined && match !== null) {
    errors.push(...validateFullAttributeName(match, `${path}.matchAttribute`));
  } else if (distinct !== undefined && distinct !== null) {
    errors.push(...validateFullAttributeName(distinct, `${path}.distinctAttribute`));
  } else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(field.required(path, detail));
  }
  return errors;
}

function validateConfig(
  config: DeepReadonly<DeviceClaimConfiguration>,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return [
    ...validateReferences(config.requests, names, `${path}.requests`),
    ...validateOpaque(config.opaque, `${path}.opaque`),
  ];
}

/** Names of requests, none twice. */
export function validateReferences(
  references: readonly string[] | undefined,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const check = (name: string, at: string): FieldError[] => validateReference(name, names, at);
  return validateSet(references, maxRequests, check, (name) => name, path);
}

export function validateReference(name: string, names: ReadonlySet<string>, path: string): FieldError[] {
  const segments = name.split('/');
  if (segments.length > 2) return [field.invalid(path, name, referenceText)];
  const errors = segments.flatMap((segment) => validateLabelName(segment, path));
  if (!names.has(name)) errors.push(field.invalid(path, name, referenceText));
  return errors;
}
