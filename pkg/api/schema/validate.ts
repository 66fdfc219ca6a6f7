import { type Integer, isInteger } from '../../base/integers.ts';
import { canonicalJSON, equalJSON } from '../../base/json.ts';
import type { FieldError, FieldErrorType } from '../errors.ts';
import type { Schema, SchemaConstraints, SchemaType } from '../schema.ts';
import { tooLong, tooMany } from '../validation/field-error.ts';
import { goValue } from '../validation/go-format.ts';
import { isKnownFormat, matchesFormat } from './formats.ts';
import { correlateItems, isUnchanged } from './list-types.ts';
import { patternOf } from './pattern.ts';

type JSONObject = Readonly<Record<string, unknown>>;

export interface ValidateOptions {
  readonly path?: string;
  /**
   * The value that is being replaced: parts that did not change are not checked, so that a schema that became stricter does not
   * stand in the way of other changes (ratcheting).
   */
  readonly old?: unknown;
  /** The value is a part of an object although the path does not say so: apiVersion and kind are members like others. */
  readonly isPart?: boolean;
}

/**
 * Checks a value against an OpenAPI v3 schema; list types, embedded resources and CEL rules are not its business. Errors are
 * those of upstream's validator (kube-openapi) for custom resources. At the root and in embedded resources apiVersion, kind and
 * metadata are not checked by the schema's properties.
 */
export function validateSchema(schema: Schema, value: unknown, options: ValidateOptions = {}): FieldError[] {
  const errors: FieldError[] = [];
  validate(schema, value, { path: options.path ?? '', isPart: options.isPart === true }, options.old, errors);
  return errors;
}

/** Where a value stands. */
interface Place {
  readonly path: string;
  /** It is not the root. */
  readonly isPart: boolean;
}

/** Returns the number of checks done, by which upstream chooses between alternatives that all failed. */
function validate(schema: Schema, value: unknown, place: Place, old: unknown, errors: FieldError[]): number {
  const { path } = place;
  if (value === null && (schema.nullable || schema.type === 'any')) {
    const listed = schema.constraints?.enum;
    // Null does not go well with an enumeration: it fails even where it is listed.
    if (listed !== undefined && old !== null) errors.push(notSupported(path, value, listed));
    return 1;
  }
  if (old !== undefined && isUnchanged(schema, value, old)) return 1;
  const { constraints } = schema;
  const mismatch = typeMismatch(schema, value, path);
  if (mismatch !== undefined) errors.push(mismatch);
  // Of the kinds of checks: the type, the alternatives, the enumeration, and the whole.
  let checks = mismatch === undefined ? 6 : 5;
  if (value === null) return checks;
  if (constraints !== undefined) checks += validateAlternatives(constraints, value, place, old, errors);
  if (typeof value === 'string') {
    checks += 2;
    validateString(schema, value, path, errors);
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    checks += 2;
    validateNumber(schema, value, path, errors);
  } else if (Array.isArray(value)) checks += 2 + validateList(schema, value, path, old, errors);
  else if (typeof value === 'object') checks += 1 + validateObject(schema, value as JSONObject, place, old, errors);
  if (constraints?.enum !== undefined && !constraints.enum.some((one) => equalJSON(one, value))) {
    errors.push(notSupported(path, value, constraints.enum));
  }
  return checks;
}

const TYPES: Readonly<Record<SchemaType, readonly string[]>> = {
  any: [],
  array: ['array'],
  boolean: ['boolean'],
  bytes: ['string'],
  integer: ['integer'],
  intOrString: ['integer', 'string'],
  microTime: ['string'],
  number: ['number'],
  object: ['object'],
  quantity: ['string'],
  string: ['string'],
  time: ['string'],
};

/** A value of another type than the schema's; where the schema has a format, that is told instead of the type. */
function typeMismatch(schema: Schema, value: unknown, path: string): FieldError | undefined {
  const types = TYPES[schema.type];
  const found = jsonTypeOf(value);
  const isOfType = types.includes(found) || (found === 'integer' && types.includes('number'));
  if (types.length === 0 || isOfType) return undefined;
  const { format } = schema;
  if (format !== undefined && value !== null && isKnownFormat(format, types[0] ?? '')) {
    const isText = typeof value === 'string' || Array.isArray(value);
    if (!isText) return wrongType(path, format, found === 'integer' ? 'int64' : found === 'number' ? 'float64' : '');
    // Upstream leaves lists to the check of the format, which only looks at strings.
    if (schema.type === 'string') return undefined;
  }
  return wrongType(path, types.join(','), found);
}

function jsonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isInteger(value)) return 'integer';
  return typeof value;
}

function validateString(schema: Schema, value: string, path: string, errors: FieldError[]): void {
  const { constraints, format } = schema;
  const problem = constraints && lengthOrPattern(constraints, value, path);
  if (problem !== undefined) errors.push(problem);
  if (format !== undefined && schema.type === 'string' && !matchesFormat(format, value)) {
    errors.push(wrongType(path, format, value));
  }
}

/** The first thing wrong with the characters of a string. */
function lengthOrPattern(constraints: SchemaConstraints, value: string, path: string): FieldError | undefined {
  const { minLength, maxLength, pattern } = constraints;
  if (minLength !== undefined || maxLength !== undefined) {
    const length = runeCount(value);
    if (maxLength !== undefined && length > maxLength) return tooLong(path, maxLength);
    if (minLength !== undefined && length < minLength)
      return bad(path, value, `should be at least ${minLength} chars long`);
  }
  if (pattern !== undefined && !patternOf(constraints)?.test(value))
    return bad(path, value, `should match '${pattern}'`);
  return undefined;
}

/** Characters as Go counts them. */
function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function validateNumber(schema: Schema, value: Integer, path: string, errors: FieldError[]): void {
  const range = rangeOf(schema);
  if (range !== undefined && !range.holds(value)) {
    errors.push(composite(`Checked value must be of type ${schema.type} ${range.name} in ${path}`));
  }
  const { constraints } = schema;
  if (constraints === undefined) return;
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

/** The numbers that fit a schema's type and format; undefined: all. */
function rangeOf({ type, format }: Schema): { name: string; holds(value: Integer): boolean } | undefined {
  if (type === 'number') {
    if (format !== 'float') return undefined;
    return { name: 'with format float', holds: (value) => Number.isFinite(Math.fround(Number(value))) };
  }
  if (type !== 'integer') return undefined;
  if (format === 'int32') return { name: 'with format int32', holds: (value) => isWhole(value) && fits(value, 32) };
  if (format === 'int64') return { name: 'with format int64', holds: (value) => isWhole(value) && fits(value, 64) };
  // Fractions have been told of as values of another type.
  return { name: '(default format)', holds: (value) => !isWhole(value) || fits(value, 64) };
}

/** Also what is no integer because it is too large to be exact. */
function isWhole(value: Integer): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** Numbers are what their shortest decimal form says: that of -2^63 is below it. */
function fits(value: Integer, bits: number): boolean {
  const exact = typeof value === 'bigint' ? value : BigInt(Math.abs(value) < 2 ** 63 ? value : 2 ** 63);
  return BigInt.asIntN(bits, exact) === exact;
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
): number {
  const { items, constraints } = schema;
  let checks = 0;
  if (items !== undefined) {
    const before = Array.isArray(old) ? correlateItems(schema, old) : undefined;
    for (let i = 0; i < list.length; i++)
      checks += validate(items, list[i], { path: `${path}[${i}]`, isPart: true }, before?.(list[i]), errors);
  }
  if (constraints?.minItems !== undefined && list.length < constraints.minItems) {
    errors.push(bad(path, list.length, `should have at least ${constraints.minItems} items`));
  }
  if (constraints?.maxItems !== undefined && list.length > constraints.maxItems) {
    errors.push(tooMany(path, list.length, constraints.maxItems));
  }
  if (constraints?.uniqueItems && new Set(list.map((item) => canonicalJSON(item))).size < list.length) {
    errors.push(bad(path, '', "shouldn't contain duplicates"));
  }
  return checks;
}

function validateObject(
  schema: Schema,
  object: JSONObject,
  { path, isPart }: Place,
  old: unknown,
  errors: FieldError[],
): number {
  const before = typeof old === 'object' && !Array.isArray(old) ? (old as JSONObject | null) : null;
  const { constraints, properties, additionalProperties, required } = schema;
  const isResource = !isPart || schema.embeddedResource === true;
  let checks = 0;
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
      checks += validate(field, object[key], { path: at(key), isPart: true }, memberOf(before, key), errors);
  }
  for (const key of required ?? []) {
    if (!Object.hasOwn(object, key) || object[key] === undefined) {
      errors.push({ type: 'FieldValueRequired', field: at(key), message: 'Required value' });
    }
  }
  return checks;
}

function memberOf(object: JSONObject | null, key: string): unknown {
  return object !== null && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Beside what is wrong as a whole, the errors of the alternative that came nearest are told. */
function validateAlternatives(
  constraints: SchemaConstraints,
  value: unknown,
  { path }: Place,
  old: unknown,
  errors: FieldError[],
): number {
  const { allOf, anyOf, oneOf, not } = constraints;
  const shown = JSON.stringify(path);
  let checks = 0;
  const attempt = (one: Schema): Attempt => {
    const found: FieldError[] = [];
    return { checks: validate(one, value, { path, isPart: true }, old, found), errors: found };
  };
  const take = (attempted: Attempt | undefined): void => {
    checks += attempted?.checks ?? 0;
    errors.push(...(attempted?.errors ?? []));
  };
  if (anyOf !== undefined) {
    const attempts = anyOf.map(attempt);
    const fit = attempts.find(isFit);
    if (fit === undefined) errors.push(composite(`${shown} must validate at least one schema (anyOf)`));
    take(fit ?? nearest(attempts));
  }
  if (oneOf !== undefined) {
    const attempts = oneOf.map(attempt);
    const fit = attempts.filter(isFit);
    if (fit.length !== 1) {
      const found = fit.length === 0 ? 'Found none valid' : `Found ${fit.length} valid alternatives`;
      errors.push(composite(`${shown} must validate one and only one schema (oneOf). ${found}`));
    }
    take(fit.length === 0 ? nearest(attempts) : fit.length === 1 ? fit[0] : undefined);
  }
  if (allOf !== undefined) {
    const attempts = allOf.map(attempt);
    for (const one of attempts) take(one);
    const count = attempts.filter(isFit).length;
    if (count < attempts.length)
      errors.push(composite(`${shown} must validate all the schemas (allOf)${count === 0 ? '. None validated' : ''}`));
  }
  if (not !== undefined && isFit(attempt(not))) errors.push(composite(`${shown} must not validate the schema (not)`));
  return checks;
}

interface Attempt {
  readonly checks: number;
  readonly errors: readonly FieldError[];
}

function isFit({ errors }: Attempt): boolean {
  return errors.length === 0;
}

/** The first of those with the most checks. */
function nearest(attempts: readonly Attempt[]): Attempt | undefined {
  let best: Attempt | undefined;
  for (const one of attempts) if (best === undefined || one.checks > best.checks) best = one;
  return best;
}

/** What upstream's validator does not say of any field. */
function composite(text: string): FieldError {
  return error('FieldValueInvalid', '<nil>', `Invalid value: "": ${text}`);
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
