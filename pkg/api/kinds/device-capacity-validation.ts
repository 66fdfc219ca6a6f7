import type { DeepReadonly } from '../../base/json.ts';
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../generated/types.ts';
import { addQuantities, formatQuantity, parseQuantity } from '../quantity.ts';
import * as field from '../validation/field-error.ts';
import { compareQuantity } from '../validation/quantity.ts';
import { validateSet } from './device-validation.ts';

type FieldError = field.FieldError;

const maxValues = 10;

/** An amount that a device offers, and how much of it a claim may ask for when several can share the device. */
export function validateDeviceCapacity(
  capacity: DeepReadonly<DeviceCapacity>,
  shared: boolean,
  path: string,
): FieldError[] {
  const policy = capacity.requestPolicy;
  if (!policy) return [];
  const at = `${path}.requestPolicy`;
  if (!shared) return [field.forbidden(at, 'allowMultipleAllocations must be true')];
  return validatePolicy(policy, capacity.value ?? '0', at);
}

function validatePolicy(policy: DeepReadonly<CapacityRequestPolicy>, capacity: string, path: string): FieldError[] {
  const { validValues: values = [], validRange: range, default: usual } = policy;
  if (values.length > 0 && range) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [field.forbidden(path, detail)];
  }
  if (values.length === 0 && !range) return [];
  if (usual === undefined || usual === null) {
    const what = range ? 'validRange' : 'validValues';
    return [field.required(`${path}.default`, `required when ${what} is defined`)];
  }
  if (range) return validateRange(range, usual, capacity, `${path}.validRange`);
  return validateValues(values, usual, capacity, `${path}.validValues`);
}

function validateValues(values: readonly string[], usual: string, capacity: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 1; i < values.length; i++) {
    if (compareQuantity(values[i - 1], values[i]) <= 0) continue;
    errors.push(field.invalid(`${path}[${i}]`, values[i], 'values must be sorted in ascending order'));
  }
  const check = (value: string, at: string): FieldError[] =>
    compareQuantity(value, capacity) > 0
      ? [field.invalid(at, value, `option is larger than capacity value: ${capacity}`)]
      : [];
  errors.push(...validateSet(values, maxValues, check, (value) => canonical(value), path));
  if (!values.some((value) => compareQuantity(value, usual) === 0)) {
    errors.push(field.invalid(path, usual, 'default value is not valid according to the requestPolicy'));
  }
  return errors;
}

function canonical(value: string): string {
  return String(parseQuantity(value).nano);
}

function validateRange(
  range: DeepReadonly<CapacityRequestPolicyRange>,
  usual: string,
  capacity: string,
  path: string,
): FieldError[] {
  const { min, max, step } = range;
  if (min === undefined || min === null) return [field.required(`${path}.min`, 'required when validRange is defined')];
  const errors: FieldError[] = [];
  const above = (value: string, bound: string): boolean => compareQuantity(value, bound) > 0;
  const bad = (name: string, value: string, detail: string): void => {
    errors.push(field.invalid(`${path}.${name}`, value, detail));
  };
  if (above(min, capacity)) bad('min', min, `min is larger than capacity value: ${capacity}`);
  if (above(min, usual)) bad('min', usual, `default is less than min: ${min}`);
  if (max !== undefined && max !== null) {
    if (above(min, max)) bad('max', min, `min is larger than max: ${max}`);
    if (above(max, capacity)) bad('max', max, `max is larger than capacity value: ${capacity}`);
    if (above(usual, max)) bad('max', usual, `default is more than max: ${max}`);
  }
  if (step === undefined || step === null) return errors;
  const next = formatQuantity(addQuantities(parseQuantity(min), parseQuantity(step)));
  if (above(next, capacity)) bad('step', step, `one step ${next} is larger than capacity value: ${capacity}`);
  for (const value of max === undefined || max === null ? [usual] : [usual, max]) {
    if (isMultiple(value, min, step)) continue;
    bad('step', value, `value is not a multiple of a given step (${step}) from (${min})`);
  }
  return errors;
}

function isMultiple(value: string, min: string, step: string): boolean {
  const size = parseQuantity(step).nano;
  return size !== 0n && (parseQuantity(value).nano - parseQuantity(min).nano) % size === 0n;
}
