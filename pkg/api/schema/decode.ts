import type { Integer } from '../../base/integers.ts';
import { canonicalQuantity, QuantityError } from '../quantity.ts';
import type { Schema } from '../schema.ts';
import { normalizeMicroTime, normalizeTime, TimeError } from '../time.ts';
import { DecodeError } from './decode-error.ts';
import { goKindOf, goStructOf, goTypeOf } from './go-type.ts';
import { joinPath } from './json-text.ts';
import { unionOf, unionSchema } from './unions.ts';

/** Deeper JSON is refused; what is accepted can be copied, compared and written by recursion. */
export const MAX_DEPTH = 500;

type JSONObject = Record<string, unknown>;

/** What a walk notes for field validation. */
export interface DecodeNotes {
  /** Paths of fields that the type does not have, in the order met. */
  readonly unknown: string[];
  /** How many members the whole document has. */
  members: number;
}

/** Walks one document. Not to be shared between documents. */
export class Decoder implements DecodeNotes {
  readonly unknown: string[] = [];
  members = 0;
  /** Something that was skipped is a number that no float holds. */
  hasInfinity = false;
  /** Keys and indexes from the root to the value at hand. */
  readonly path: (string | number)[] = [];
  /** Structs from the root to the value at hand, for error texts. */
  readonly #structs: Schema[] = [];

  /**
   * Decodes by the rules of Go's encoding/json into structs: unknown fields are dropped and noted, null means absent, numbers
   * must fit, quantities, times and base64 are put in their canonical form, zero values that omitempty drops are dropped,
   * structs that are always there are created. Takes `value` over and changes it. Throws a DecodeError.
   */
  decode(schema: Schema, value: unknown): unknown {
    switch (schema.type) {
      case 'string':
        return typeof value === 'string' ? value : this.#mismatch(schema, value);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(schema, value);
      case 'integer':
        return this.#integer(schema, value);
      case 'number':
        if (typeof value === 'bigint') return Number(value);
        return typeof value === 'number' ? value : this.#mismatch(schema, value);
      case 'array':
        return this.#list(schema, value);
      case 'object':
        return this.#object(schema, value);
      case 'any':
        return schema.name === undefined ? this.#free(value) : this.#union(schema, value);
      default:
        return this.#scalarWithSyntax(schema, value);
    }
  }

  /** Counts the members of a free-form value. */
  skip(value: unknown, depth: number): void {
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) this.hasInfinity = true;
    if (typeof value !== 'object' || value === null) return;
    if (depth >= MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
    if (Array.isArray(value)) {
      for (const item of value) this.skip(item, depth + 1);
      return;
    }
    for (const key in value) {
      this.members++;
      this.skip((value as JSONObject)[key], depth + 1);
    }
  }

  #free(value: unknown): unknown {
    this.skip(value, this.path.length);
    return value;
  }

  /** CRD schemas inside CRD schemas; unknown fields there are dropped without a word, as upstream's own decoders do. */
  #union(schema: Schema, value: unknown): unknown {
    if (unionOf(schema) === undefined || typeof value !== 'object' || value === null) return this.#free(value);
    const inner = new Decoder();
    inner.path.push(...this.path);
    const decoded = Array.isArray(value)
      ? value.map((one: unknown) => (typeof one === 'string' ? one : inner.decode(unionSchema(), one)))
      : inner.decode(unionSchema(), value);
    this.members += inner.members;
    return decoded;
  }

  #object(schema: Schema, value: unknown): unknown {
    if (schema.preserveUnknownFields && schema.properties === undefined) {
      if (schema.format !== 'raw' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
        this.#mismatch(schema, value);
      }
      this.skip(value, this.path.length);
      return value;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#mismatch(schema, value);
    if (schema.additionalProperties !== undefined) {
      return this.#map(schema.additionalProperties, value as JSONObject);
    }
    return this.#struct(schema, value as JSONObject);
  }

  #map(schema: Schema, value: JSONObject): JSONObject {
    if (this.path.length >= MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
    for (const key in value) {
      this.members++;
      this.path.push(key);
      const item = value[key];
      const decoded = item === null ? zeroOf(schema) : this.decode(schema, item);
      if (decoded !== item) setMember(value, key, decoded);
      this.path.pop();
    }
    return value;
  }

  #list(schema: Schema, value: unknown): unknown {
    if (!Array.isArray(value)) return this.#mismatch(schema, value);
    if (this.path.length >= MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
    const items = schema.items;
    if (items === undefined) {
      this.skip(value, this.path.length);
      return value;
    }
    this.path.push(0);
    const last = this.path.length - 1;
    for (let i = 0; i < value.length; i++) {
      this.path[last] = i;
      const item: unknown = value[i];
      const decoded = item === null ? zeroOf(items) : this.decode(items, item);
      if (decoded !== item) value[i] = decoded;
    }
    this.path.pop();
    return value;
  }

  #struct(schema: Schema, value: JSONObject): JSONObject {
    if (this.path.length >= MAX_DEPTH) throw new DecodeError('depth', 'exceeded max depth');
    const { properties } = schema;
    if (properties === undefined) return value;
    this.#structs.push(schema);
    let dropped: Set<string> | undefined;
    for (const key in value) {
      this.members++;
      this.path.push(key);
      const field = properties.get(key);
      const given = value[key];
      if (field === undefined) {
        this.unknown.push(joinPath(this.path));
        this.skip(given, this.path.length);
        dropped = (dropped ?? new Set()).add(key);
      } else if (given === null) {
        dropped = (dropped ?? new Set()).add(key);
      } else {
        const before = this.members;
        const decoded = this.decode(field, given);
        // What has members is not empty; to ask a large map whether it is would take long.
        if (this.members === before && isDropped(field, decoded)) dropped = (dropped ?? new Set()).add(key);
        else if (decoded !== given) value[key] = decoded;
      }
      this.path.pop();
    }
    this.#structs.pop();
    const kept = dropped === undefined ? value : without(value, dropped);
    for (const [name, field] of alwaysStructs(properties)) {
      if (kept[name] === undefined) kept[name] = emptyStruct(field);
    }
    return kept;
  }

  /** What lies beyond 2^53 and fits 64 bits comes as a bigint; a number as large as that does not fit. */
  #integer(schema: Schema, value: unknown): Integer {
    if (typeof value === 'bigint' && schema.format !== 'int32') return this.#isExact() ? value : nearestInteger(value);
    if (typeof value !== 'number') return this.#mismatch(schema, value, numberText(value));
    const fits =
      Number.isInteger(value) && (schema.format === 'int32' ? value === (value | 0) : Math.abs(value) < 2 ** 63);
    return fits ? value : this.#mismatch(schema, value, `number ${value}`);
  }

  #isExact(): boolean {
    const struct = this.#structs.at(-1);
    return struct !== undefined && EXACT_FIELDS.has(`${goStructOf(struct)}.${this.path.at(-1)}`);
  }

  #scalarWithSyntax(schema: Schema, value: unknown): unknown {
    switch (schema.type) {
      case 'intOrString':
        if (typeof value === 'string') return value;
        if (typeof value === 'number' && value === (value | 0)) return value;
        throw new DecodeError('type', `json: cannot unmarshal ${numberText(value)} into Go value of type int32`);
      case 'quantity':
        if (typeof value === 'string') return badValue(() => canonicalQuantity(value.trim()));
        return badValue(() => canonicalQuantity(typeof value === 'number' || typeof value === 'bigint' ? value : ''));
      case 'bytes':
        if (typeof value !== 'string') return this.#mismatch(schema, value);
        return canonicalBase64(value);
      default:
        if (typeof value !== 'string') {
          throw new DecodeError('type', `json: cannot unmarshal ${goKindOf(value)} into Go value of type string`);
        }
        return badValue(() => (schema.type === 'time' ? normalizeTime(value) : normalizeMicroTime(value)));
    }
  }

  #mismatch(schema: Schema, value: unknown, described = goKindOf(value)): never {
    const struct = this.#structs.at(-1);
    const into =
      struct === undefined
        ? `Go value of type ${goTypeOf(schema)}`
        : `Go struct field ${goStructOf(struct)}.${this.#fieldPath()} of type ${goTypeOf(schema)}`;
    const number = typeof value === 'number' || typeof value === 'bigint' ? { number: value } : {};
    throw new DecodeError('type', `json: cannot unmarshal ${described} into ${into}`, number);
  }

  /** The path in fields only: Go names neither indexes nor the keys of maps. */
  #fieldPath(): string {
    const fields: string[] = [];
    let schema: Schema | undefined = this.#structs[0];
    for (const part of this.path) {
      if (schema?.properties !== undefined) {
        fields.push(String(part));
        schema = schema.properties.get(String(part));
      } else {
        schema = schema?.items ?? schema?.additionalProperties;
      }
    }
    return fields.join('.');
  }
}

/**
 * The fields of built-in types in which clients find every integer that they wrote. With the others the API server, the
 * controllers and the kubelet calculate, so that they are numbers.
 */
const EXACT_FIELDS: ReadonlySet<string> = new Set(['ControllerRevision.revision', 'Toleration.tolerationSeconds']);

/** As a number; never one beyond 64 bits, which Go's clients could not read. */
function nearestInteger(value: bigint): number {
  return Math.max(-(2 ** 63), Math.min(Number(value), 2 ** 63 - 1024));
}

/** How Go's errors name a JSON value that has another type than the field. */
function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : goKindOf(value);
}

function badValue<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof QuantityError || error instanceof TimeError) {
      throw new DecodeError('value', error.message, { cause: error });
    }
    throw error;
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard base64 as Go reads it: padding is needed, line breaks are not minded. */
function canonicalBase64(text: string): string {
  const joined = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, '') : text;
  if (joined.length % 4 === 0 && BASE64.test(joined)) return joined;
  const wrong = /^[A-Za-z0-9+/]*/.exec(joined)?.[0].length ?? 0;
  const offset = wrong < joined.length && joined[wrong] !== '=' ? wrong : Math.floor(joined.length / 4) * 4;
  throw new DecodeError('value', `illegal base64 data at input byte ${offset}`);
}

/** Whether an answer does not carry this value: omitempty of a field that is no pointer. */
export function isDropped(schema: Schema, value: unknown): boolean {
  if (schema.always || schema.pointer) return false;
  switch (typeof value) {
    case 'string':
      return value === '';
    case 'number':
      return value === 0;
    case 'boolean':
      return !value;
    default:
      if (Array.isArray(value)) return value.length === 0;
      return schema.additionalProperties !== undefined && isEmpty(value as JSONObject);
  }
}

function isEmpty(value: JSONObject): boolean {
  for (const _ in value) return false;
  return true;
}

/** What null means inside a list or map: the zero value of its type. */
function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return '';
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'object':
      return schema.properties === undefined ? null : emptyStruct(schema);
    default:
      return null;
  }
}

function emptyStruct(schema: Schema): JSONObject {
  const struct: JSONObject = {};
  if (schema.properties !== undefined) {
    for (const [name, field] of alwaysStructs(schema.properties)) struct[name] = emptyStruct(field);
  }
  return struct;
}

/** The fields of a struct that are structs and always there; found once for every type. */
function alwaysStructs(properties: ReadonlyMap<string, Schema>): readonly (readonly [string, Schema])[] {
  let fields = structsOf.get(properties);
  if (fields === undefined) {
    fields = [...properties].filter(([, field]) => field.always && !field.pointer && field.properties !== undefined);
    structsOf.set(properties, fields);
  }
  return fields;
}

const structsOf = new WeakMap<ReadonlyMap<string, Schema>, readonly (readonly [string, Schema])[]>();

/** A copy without some members. */
export function without(value: JSONObject, dropped: ReadonlySet<string>): JSONObject {
  const kept: JSONObject = {};
  for (const key in value) if (!dropped.has(key)) setMember(kept, key, value[key]);
  return kept;
}

/** Sets a member; `__proto__` is a member like others. */
export function setMember(object: JSONObject, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}
