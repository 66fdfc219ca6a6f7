/**
 * Constructors of field errors with upstream's texts; imported as a namespace (`field.required(...)`). Paths are plain
 * strings: `spec.containers[0].name`, `data[key]`. Corresponds to apimachinery's util/validation/field.
 */
import type { FieldError } from '../errors.ts';
import { goQuote, goValue } from './go-format.ts';

export type { FieldError } from '../errors.ts';

export function required(path: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field: path, message: withDetail('Required value', detail) };
}

export function invalid(path: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: path, message: withDetail(`Invalid value: ${goValue(value)}`, detail) };
}

/** Where showing the value says nothing. */
export function invalidWithoutValue(path: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: path, message: withDetail('Invalid value', detail) };
}

/** `supported` in the order to show. */
export function notSupported(path: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map(goQuote).join(', ');
  const detail = supported.length === 0 ? '' : `supported values: ${list}`;
  return {
    type: 'FieldValueNotSupported',
    field: path,
    message: withDetail(`Unsupported value: ${goValue(value)}`, detail),
  };
}

export function duplicate(path: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field: path, message: `Duplicate value: ${goValue(value)}` };
}

export function forbidden(path: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field: path, message: withDetail('Forbidden', detail) };
}

export function notFound(path: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field: path, message: `Not found: ${goValue(value)}` };
}

export function typeInvalid(path: string, value: unknown, detail: string): FieldError {
  return {
    type: 'FieldValueTypeInvalid',
    field: path,
    message: withDetail(`Invalid value: ${goValue(value)}`, detail),
  };
}

export function tooLong(path: string, maxBytes: number): FieldError {
  const bytes = maxBytes === 1 ? 'byte' : 'bytes';
  return { type: 'FieldValueTooLong', field: path, message: `Too long: may not be more than ${maxBytes} ${bytes}` };
}

export function tooMany(path: string, actual: number, max: number): FieldError {
  const items = max === 1 ? 'item' : 'items';
  return { type: 'FieldValueTooMany', field: path, message: `Too many: ${actual}: must have at most ${max} ${items}` };
}

export function internal(path: string, detail: string): FieldError {
  return { type: 'InternalError', field: path, message: withDetail('Internal error', detail) };
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}
