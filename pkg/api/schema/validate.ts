import { type Integer, isInteger } from '../../base/integers.ts';
import { canonicalJSON, equalJSON } from '../../base/json.ts';
import type { FieldError, FieldErrorType } from '../errors.ts';
import type { Schema, SchemaConstraints } from '../schema.ts';
import { tooLong, tooMany } from '../validation/field-error.ts';
import { goValue } from '../validation/go-format.ts';
import { matchesFormat } from './formats.ts';
import { correlateItems } from './list-types.ts';
import { patternOf } from './pattern.ts';

type JSONObject = Readonly<Record<string, unknown>>;

export interface ValidateOptions {
  readonly path?: string;
  /**
   * The value that is being replaced: parts that did not change are not checked, so that a schema that became stricter does not
   * stand in the way of other changes (ratcheting).
   */
  readonly old?: unknown;
}

/**
 * Checks a value against an OpenAPI v3 schema; list types, embedded resources and CEL rules are not its business. Errors are
 * worded as upstream words them for custom resources. At the root and in embedded resources apiVersion, kind and metadata are
 * not checked by the schema's properties.
 */
export function validateSchema(schema: Schema, value: unknown, options: ValidateOptions = {}): FieldError[] {
  const errors: FieldError[] = [];
  validate(schema, value, options.path ?? '', options.old, errors);
  return errors;
}

function validate(schema: Schema, value: unknown, path: string, old: unknown, errors: FieldError[]): void {
  if (value === null && schema.nullable) return;
  if (schema.type === 'any' && value === null) return;
  if (old !== undefined && equalJSON(value, old)) return;
  const expected = typeMismatch(schema, value);
  if (expected !== undefined) {
    errors.push(wrongType(path, expected, jsonTypeOf(value)));
    return;
  }
  const { constraints } = schema;
  if (constraints !== undefined) validateAlternatives(schema, constraints, value, path, old, errors);
  if (typeof value === 'string') validateString(schema, value, path, errors);
  else if ((typeof value === 'number' || typeof value === 'bigint') && constraints !== undefined)
    validateNumber(constraints, value, path, errors);
  else if (Array.isArray(value)) validateList(schema, value, path, old, errors);
  else if (typeof value === 'object' && value !== null) validateObject(schema, value as JSONObject, path, old, errors);
  if (constraints?.enum !== undefined && !constraints.enum.some((one) => equalJSON(one, value))) {
    errors.push(notSupported(path, value, constraints.enum));
  }
}

/** The expected type, when the value has another one. */
function typeMismatch(schema: Schema, value: unknown): string | undefined {
  switch (schema.type) {
    case 'any':
      return undefined;
    case 'string':
    case 'quantity':
    case 'time':
    case 'microTime':
    case 'bytes':
      return typeof value === 'string' ? undefined : 'string';
    case 'integer':
      return isInteger(value) ? undefined : 'integer';
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : 'number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'boolean';
    case 'array':
      return Array.isArray(value) ? undefined : 'array';
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'object';
    case 'intOrString':
      return typeof value === 'string' || isInteger(value) ? undefined : 'integer,string';
  }
}

function jsonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isInteger(value)) return 'integer';
  return typeof value;
}

function validateString(schema: Schema, value: string, path: string, errors: FieldError[]): void {
  const { constraints, format } = schema;
  if (constraints !== undefined) {
    const { minLength, maxLength, pattern } = constraints;
    if (minLength !== undefined || maxLength !== undefined) {
      const length = runeCount(value);
      if (maxLength !== undefined && length > maxLength) {
        errors.push(tooLong(path, maxLength));
      }
      if (minLength !== undefined && length < minLength) {
        errors.push(bad(path, value, `should be at least ${minLength} chars long`));
      }
    }
    if (pattern !== undefined && !patternOf(constraints)?.test(value)) {
      errors.push(bad(path, value, `should match '${pattern}'`));
    }
  }
  if (format !== undefined && schema.type === 'string' && !matchesFormat(format, value)) {
    errors.push(wrongType(path, format, value));
  }
}

/** Characters as Go counts them. */
function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function validateNumber(constraints: SchemaConstraints, value: Integer, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = constraints;
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    errors.push(bad(path, value, `should be a multiple of ${multipleOf}`));
  }
  if (maximum !== undefined) {
    if (constraints.exclusiveMaximum) {
      if (value >= maximum) errors.push(bad(path, value, `should be less than ${maximum}`));
    } else if (value > maximum) errors.push(bad(path, value, `should be less than or equal to ${maximum}`));
  }
  if (minimum !== undefined) {
    if (constraints.exclusiveMinimum) {
      if (value <= minimum) errors.push(bad(path, value, `should be greater than ${minimum}`));
    } else if (value < minimum) errors.push(bad(path, value, `should be greater than or equal to ${minimum}`));
  }
}

function isMultiple(value: Integer, of: number): boolean {
  if (typeof value === 'bigint' && Number.isInteger(of)) return value % BigInt(of) === 0n;
  const ratio = Number(value) / of;
  return Math.abs(ratio - Math.round(ratio)) < 1e-9;
}

function validateList(
  schema: Schema,
  list: readonly unknown[],
  path: string,
  old: unknown,
  errors: FieldError[],
): void {
  const { items, constraints } = schema;
  if (constraints?.minItems !== undefined && list.length < constraints.minItems) {
    errors.push(bad(path, list.length, `should have at least ${constraints.minItems} items`));
  }
  if (constraints?.maxItems !== undefined && list.length > constraints.maxItems) {
    errors.push(tooMany(path, list.length, constraints.maxItems));
  }
  if (constraints?.uniqueItems && new Set(list.map((item) => canonicalJSON(item))).size < list.length) {
    errors.push(bad(path, '', "shouldn't contain duplicates"));
  }
  if (items === undefined) return;
  const before = Array.isArray(old) ? correlateItems(schema, old) : undefined;
  for (let i = 0; i < list.length; i++) validate(items, list[i], `${path}[${i}]`, before?.(list[i]), errors);
}

function validateObject(schema: Schema, object: JSONObject, path: string, old: unknown, errors: FieldError[]): void {
  const before = typeof old === 'object' && !Array.isArray(old) ? (old as JSONObject | null) : null;
  const { constraints, properties, additionalProperties, required } = schema;
  const isResource = path === '' || schema.embeddedResource === true;
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (constraints?.minProperties !== undefined || constraints?.maxProperties !== undefined) {
    const count = Object.keys(object).length;
    const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = constraints;
    if (count < minProperties) errors.push(bad(path, count, `should have at least ${minProperties} properties`));
    if (count > maxProperties) errors.push(tooMany(path, count, maxProperties));
  }
  for (const key in object) {
    if (isResource && (key === 'apiVersion' || key === 'kind')) continue;
    const field = properties?.get(key) ?? additionalProperties;
    if (field !== undefined && object[key] !== undefined)
      validate(field, object[key], at(key), memberOf(before, key), errors);
  }
  for (const key of required ?? []) {
    if (!Object.hasOwn(object, key) || object[key] === undefined) {
      errors.push({ type: 'FieldValueRequired', field: at(key), message: 'Required value' });
    }
  }
}

function memberOf(object: JSONObject | null, key: string): unknown {
  return object !== null && Object.hasOwn(object, key) ? object[key] : undefined;
}

function validateAlternatives(
  schema: Schema,
  constraints: SchemaConstraints,
  value: unknown,
  path: string,
  old: unknown,
  errors: FieldError[],
): void {
  const fits = (one: Schema): boolean =>
    validateSchema(one, value, { path: path === '' ? ' ' : path, old }).length === 0;
  const wrong = (text: string): void => {
    errors.push({ type: 'FieldValueInvalid', field: path, message: `Invalid value: "": "${path}" ${text}` });
  };
  const { allOf, anyOf, oneOf, not } = constraints;
  if (anyOf !== undefined && schema.type !== 'intOrString' && !anyOf.some(fits)) {
    wrong('must validate at least one schema (anyOf)');
  }
  if (oneOf !== undefined) {
    const count = oneOf.filter(fits).length;
    if (count === 0) wrong('must validate one and only one schema (oneOf). Found none valid');
    else if (count > 1) wrong(`must validate one and only one schema (oneOf). Found ${count} valid alternatives`);
  }
  for (const one of allOf ?? []) validate(one, value, path, old, errors);
  if (not !== undefined && fits(not)) wrong('must not validate the schema (not)');
}

function error(type: FieldErrorType, field: string, message: string): FieldError {
  return { type, field, message };
}

function bad(path: string, value: unknown, text: string): FieldError {
  return error('FieldValueInvalid', path, `Invalid value: ${goValue(value)}: ${path} in body ${text}`);
}

/** `value` is what upstream shows: the type found, or the text whose format is wrong. */
function wrongType(path: string, expected: string, value: string): FieldError {
  const shown = JSON.stringify(value);
  return error(
    'FieldValueTypeInvalid',
    path,
    `Invalid value: ${shown}: ${path} in body must be of type ${expected}: ${shown}`,
  );
}

function notSupported(path: string, value: unknown, allowed: readonly unknown[]): FieldError {
  const list = allowed.map((one) => JSON.stringify(typeof one === 'string' ? one : goValue(one))).join(', ');
  return error('FieldValueNotSupported', path, `Unsupported value: ${goValue(value)}: supported values: ${list}`);
}
