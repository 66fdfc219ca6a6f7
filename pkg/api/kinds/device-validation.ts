/** What claims, classes and slices of devices share: names, lists with a limit, taints and settings of drivers. */
import type { DeepReadonly } from '../../base/json.ts';
import type { DeviceTaint, DeviceToleration, OpaqueDeviceConfiguration } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import {
  byteLength,
  isCIdentifier,
  isDNS1123Label,
  isDNS1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { validateDeviceDriverName } from './csi-name-validation.ts';

type FieldError = field.FieldError;
type Check<T> = (item: T, path: string) => FieldError[];

const maxPoolNameBytes = 253;
const maxIdentifierBytes = 32;
const maxParametersBytes = 10 * 1024;
const taintEffects = ['NoExecute', 'NoSchedule', 'None'];

/** Every item of a list that is not too long; of one that is, only that is said. */
export function validateEach<T>(
  list: readonly T[] | undefined | null,
  max: number,
  check: Check<T>,
  path: string,
): FieldError[] {
  const items = list ?? [];
  if (items.length > max) return [field.tooMany(path, items.length, max)];
  return items.flatMap((item, i) => check(item, `${path}[${i}]`));
}

/** As `validateEach`, and no two items have the same key. */
export function validateSet<T>(
  list: readonly T[] | undefined | null,
  max: number,
  check: Check<T>,
  keyOf: (item: T) => string,
  path: string,
): FieldError[] {
  const errors = validateEach(list, max, check, path);
  if ((list?.length ?? 0) > max) return errors;
  const seen = new Set<string>();
  for (let i = 0; i < (list?.length ?? 0); i++) {
    const item = list?.[i];
    const key = item === undefined ? '' : keyOf(item);
    if (seen.has(key)) errors.push(field.duplicate(`${path}[${i}]`, key));
    seen.add(key);
  }
  return errors;
}

export function validateLabelName(name: string | undefined, path: string): FieldError[] {
  return checkName(isDNS1123Label, name, path);
}

/** Parts like subdomains between slashes. */
export function validatePoolName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [field.required(path)];
  const errors = name.length > maxPoolNameBytes ? [field.tooLong(path, maxPoolNameBytes)] : [];
  return [...errors, ...name.split('/').flatMap((part) => checkName(isDNS1123Subdomain, part, path))];
}

/** The name of an attribute or a capacity: an identifier of C, perhaps behind the domain of a driver. */
export function validateAttributeName(name: string, path: string): FieldError[] {
  const parts = name.split('/');
  if (parts.length === 1) return validateIdentifier(name, path);
  if (parts.length > 2) return [];
  const [domain = '', id = ''] = parts;
  return [
    ...(domain === ''
      ? [field.invalid(path, '', 'the domain must not be empty')]
      : validateDeviceDriverName(domain, path)),
    ...(id === '' ? [field.invalid(path, '', 'the name must not be empty')] : validateIdentifier(id, path)),
  ];
}

/** As `validateAttributeName`; the domain must be there. */
export function validateFullAttributeName(name: string, path: string): FieldError[] {
  const errors = validateAttributeName(name, path);
  if (!name.includes('/')) {
    const detail = 'a fully qualified name must be a domain and a name separated by a slash';
    errors.push(field.invalid(path, name, detail));
  }
  return errors;
}

function validateIdentifier(id: string, path: string): FieldError[] {
  const errors = byteLength(id) > maxIdentifierBytes ? [field.tooLong(path, maxIdentifierBytes)] : [];
  return [...errors, ...checkName(isCIdentifier, id, path)];
}

/** Settings that only a driver understands. */
export function validateOpaque(
  opaque: DeepReadonly<OpaqueDeviceConfiguration> | undefined,
  path: string,
): FieldError[] {
  if (!opaque) return [field.required(path)];
  return [
    ...validateDeviceDriverName(opaque.driver, `${path}.driver`),
    ...validateRaw(opaque.parameters, maxParametersBytes, `${path}.parameters`),
  ];
}

/** Free data: an object of limited size. */
export function validateRaw(value: unknown, maxBytes: number, path: string): FieldError[] {
  if (value === undefined || value === null) return [field.required(path)];
  if (byteLength(JSON.stringify(value)) > maxBytes) return [field.tooLong(path, maxBytes)];
  if (typeof value === 'object' && !Array.isArray(value)) return [];
  return [field.invalid(path, '<value omitted>', 'must be a valid JSON object')];
}

export function validateTaint(taint: DeepReadonly<DeviceTaint>, path: string, oldEffect?: string): FieldError[] {
  const errors = checkName(isQualifiedName, taint.key, `${path}.key`);
  if (taint.value) errors.push(...checkName(isLabelValue, taint.value, `${path}.value`));
  const effect = taint.effect ?? '';
  if (effect === oldEffect) return errors;
  if (effect === '') errors.push(field.required(`${path}.effect`));
  else if (!taintEffects.includes(effect)) errors.push(field.notSupported(`${path}.effect`, effect, taintEffects));
  return errors;
}

export function validateDeviceToleration(toleration: DeepReadonly<DeviceToleration>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key, operator = '', value = '', effect } = toleration;
  if (key) errors.push(...checkName(isQualifiedName, key, `${path}.key`));
  if (operator === 'Exists') {
    if (value !== '') errors.push(field.invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') errors.push(...checkName(isLabelValue, value, `${path}.value`));
  else if (operator === '') errors.push(field.required(`${path}.operator`));
  else errors.push(field.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  if (effect && !taintEffects.includes(effect)) {
    errors.push(field.notSupported(`${path}.effect`, effect, taintEffects));
  }
  return errors;
}

const maxBindingConditions = 4;

/** Conditions that must hold before pods are bound, and those that end the wait; neither without the other. */
export function validateBinding(
  conditions: readonly string[] | undefined,
  failures: readonly string[] | undefined,
  path: string,
): FieldError[] {
  const [wanted, bad] = [conditions ?? [], failures ?? []];
  const [wantedPath, badPath] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const check: Check<string> = (name, at) => checkName(isQualifiedName, name, at);
  const errors = [
    ...validateEach(wanted, maxBindingConditions, check, wantedPath),
    ...validateEach(bad, maxBindingConditions, check, badPath),
  ];
  for (let i = 0; i < wanted.length; i++) {
    if (wanted.indexOf(wanted[i] ?? '') < i) errors.push(field.duplicate(`${wantedPath}[${i}]`, wanted[i]));
  }
  for (let i = 0; i < bad.length; i++) {
    const condition = bad[i] ?? '';
    if (bad.indexOf(condition) < i) errors.push(field.duplicate(`${badPath}[${i}]`, condition));
    if (!wanted.includes(condition)) continue;
    const detail = 'bindingFailureConditions must not overlap with bindingConditions';
    errors.push(field.invalid(`${badPath}[${i}]`, condition, detail));
  }
  if (wanted.length === 0 && bad.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(field.invalid(wantedPath, null, detail));
  }
  if (bad.length === 0 && wanted.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(field.invalid(badPath, null, detail));
  }
  return errors;
}
