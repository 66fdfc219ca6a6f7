import { type Integer, isInteger, narrowInteger } from '../../base/integers.ts';
import type { Schema } from '../schema.ts';
import { Decoder, setMember } from './decode.ts';
import { DecodeError } from './decode-error.ts';
import { goTypeOf } from './go-type.ts';

type JSONObject = Record<string, unknown>;

/**
 * Fits JSON data to the structs of a built-in type as upstream's unstructured converter does, through which the result of a
 * strategic merge patch goes instead of a decoder: integers are cut to their size, whole floats are integers. Takes `value` over
 * and changes it. Throws a DecodeError with the converter's text for what does not fit.
 */
export function toStructs(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  switch (schema.type) {
    case 'string':
      if (typeof value === 'string') return value;
      throw isInteger(value) ? notConverted('int64', schema) : unrecognized('string');
    case 'boolean':
      if (typeof value === 'boolean') return value;
      throw unrecognized('bool');
    case 'integer':
      return integer(schema, value);
    case 'number':
      if (typeof value === 'number' || typeof value === 'bigint') return value;
      throw unrecognized('float64');
    case 'bytes':
      return bytes(schema, value);
    case 'array':
      if (!Array.isArray(value)) throw notRestored(`slice from ${kindOf(value)}`);
      return schema.items === undefined ? value : list(schema.items, value);
    case 'object':
      return members(schema, value);
    case 'any':
      return value;
    default:
      // Types with a syntax of their own read themselves.
      new Decoder().decode(schema, value);
      return value;
  }
}

function integer(schema: Schema, value: unknown): Integer {
  const type = schema.format === 'int32' ? 'int32' : 'int64';
  if (typeof value !== 'number' && typeof value !== 'bigint') throw unrecognized(type);
  if (!isInteger(value) && !Number.isInteger(value)) throw notConverted('float64', schema);
  // What does not fit 64 bits is the smallest integer, as processors have it.
  const wide = typeof value === 'bigint' || Math.abs(value) < 2 ** 63 ? BigInt(value) : -(2n ** 63n);
  return narrowInteger(BigInt.asIntN(type === 'int32' ? 32 : 64, wide));
}

function bytes(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'string') throw notRestored(`slice from ${kindOf(value)}`);
  try {
    new Decoder().decode(schema, value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(error.code, `error decoding from json: ${error.message}`, { cause: error });
  }
  return value;
}

function list(items: Schema, value: unknown[]): unknown[] {
  for (const [i, item] of value.entries()) value[i] = toStructs(items, item);
  return value;
}

function members(schema: Schema, value: unknown): unknown {
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined) return value;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = properties === undefined ? 'map from' : 'struct from:';
    throw notRestored(`${what} ${kindOf(value)}`);
  }
  const object = value as JSONObject;
  for (const key of Object.keys(object)) {
    const field = properties?.get(key) ?? additionalProperties;
    if (field !== undefined) setMember(object, key, toStructs(field, object[key]));
  }
  return object;
}

/** What Go's reflection calls a JSON value. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'object':
      return 'map';
    default:
      return isInteger(value) ? 'int64' : 'float64';
  }
}

function unrecognized(kind: string): DecodeError {
  return new DecodeError('type', `unrecognized type: ${kind}`);
}

function notConverted(from: string, to: Schema): DecodeError {
  return new DecodeError('type', `cannot convert ${from} to ${goTypeOf(to)}`);
}

function notRestored(what: string): DecodeError {
  return new DecodeError('type', `cannot restore ${what}`);
}
