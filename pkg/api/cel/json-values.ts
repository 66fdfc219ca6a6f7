import type { DeclType } from './decl-type.ts';
import { Failure } from './failure.ts';
import { readDuration, readTimestamp, readWordyDuration } from './time-values.ts';
import { objectType } from './types.ts';
import {
  ArrayList,
  Duration,
  equalValues,
  HostValue,
  ListValue,
  type MapKey,
  MapValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts';

/** JSON data as a value of a declared type; without one numbers are ints where they are whole. Values stay as they are. */
export function toValue(data: unknown, decl?: DeclType): Value {
  switch (typeof data) {
    case 'string':
      return decl === undefined ? data : fromText(data, decl);
    case 'number':
      if (decl?.type.kind === 'double') return data;
      return Number.isInteger(data) ? BigInt(data) : data;
    case 'bigint':
    case 'boolean':
      return data;
    case 'object':
      return data === null ? null : fromObject(data, decl);
    default:
      throw new Failure(`unsupported value of type ${typeof data}`);
  }
}

function fromText(text: string, decl: DeclType): Value {
  switch (decl.type.kind) {
    case 'duration': {
      const duration = readDuration(text) ?? readWordyDuration(text);
      if (duration === undefined) throw new Failure(`Invalid duration: ${text}`);
      return duration;
    }
    case 'timestamp': {
      const timestamp = readTimestamp(decl.date === true ? `${text}T00:00:00Z` : text.toUpperCase().replace(' ', 'T'));
      if (timestamp === undefined) throw new Failure(`Invalid date: ${text}`);
      return timestamp;
    }
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'base64'));
    default:
      return text;
  }
}

function fromObject(data: object, decl: DeclType | undefined): Value {
  if (isValue(data)) return data;
  if (Array.isArray(data)) return new JSONList(data, decl);
  return new JSONMap(data as Readonly<Record<string, unknown>>, decl);
}

function isValue(data: object): data is Exclude<Value, null | boolean | bigint | number | string> {
  return (
    data instanceof ListValue ||
    data instanceof MapValue ||
    data instanceof HostValue ||
    data instanceof Uint ||
    data instanceof Duration ||
    data instanceof Timestamp ||
    data instanceof OptionalValue ||
    data instanceof TypeValue ||
    data instanceof Uint8Array
  );
}

function isSet(data: unknown): boolean {
  return data !== undefined && data !== null;
}

/** A JSON array. As a set or a map by keys (x-kubernetes-list-type) its order means nothing to == and +. */
export class JSONList extends ListValue {
  readonly #data: readonly unknown[];
  readonly #decl: DeclType | undefined;

  constructor(data: readonly unknown[], decl?: DeclType) {
    super();
    this.#data = data;
    this.#decl = decl;
  }

  get size(): number {
    return this.#data.length;
  }

  at(index: number): Value {
    return toValue(this.#data[index], this.#decl?.element);
  }

  override sameMembers(other: ListValue): boolean | undefined {
    if (this.#decl?.listType === undefined || this.#decl.listType === 'atomic') return undefined;
    if (this.size !== other.size) return false;
    const mine = this.#index();
    for (const element of other) {
      const match = mine.get(this.#identity(element));
      if (match === undefined || !equalValues(match, element)) return false;
    }
    return true;
  }

  override plus(other: ListValue): ListValue {
    if (this.#decl?.listType === undefined || this.#decl.listType === 'atomic') return super.plus(other);
    const merged = this.#index();
    for (const element of other) merged.set(this.#identity(element), element);
    return new ArrayList([...merged.values()]);
  }

  #index(): Map<string, Value> {
    const index = new Map<string, Value>();
    for (const element of this) index.set(this.#identity(element), element);
    return index;
  }

  /** What makes an element of a set or a map the same as another. */
  #identity(element: Value): string {
    const keys = this.#decl?.listMapKeys;
    if (this.#decl?.listType !== 'map' || keys === undefined || !(element instanceof MapValue))
      return identityOf(element);
    return JSON.stringify(keys.map((key) => identityOf(element.get(key) ?? null)));
  }
}

function identityOf(value: Value): string {
  if (value instanceof ListValue) return `[${[...value].map(identityOf).join(',')}]`;
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map(
      (key) => `${identityOf(key)}:${identityOf(value.get(key as MapKey) ?? null)}`,
    );
    return `{${entries.sort().join(',')}}`;
  }
  if (value instanceof Duration || value instanceof Timestamp) return `n${value.nanos}`;
  return `${typeof value}${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
}

/** A JSON object: a map, or an object with the declared fields. Members of every name are plain data. */
export class JSONMap extends MapValue {
  readonly #data: Readonly<Record<string, unknown>>;
  readonly #decl: DeclType | undefined;
  override readonly objectType;

  constructor(data: Readonly<Record<string, unknown>>, decl?: DeclType) {
    super();
    this.#data = data;
    this.#decl = decl?.fields === undefined && decl?.element === undefined ? undefined : decl;
    this.objectType = decl?.fields === undefined ? undefined : objectType(decl.type.name, new Map());
  }

  get size(): number {
    return Object.keys(this.#data).length;
  }

  get(key: MapKey): Value | undefined {
    if (typeof key !== 'string') return undefined;
    const fields = this.#decl?.fields;
    if (fields !== undefined) {
      const field = fields.get(key);
      // A field that is null counts as absent.
      return field === undefined || this.#data[field.jsonName] === null
        ? undefined
        : this.#member(field.jsonName, field.decl);
    }
    return this.#member(key, this.#decl?.element);
  }

  has(key: MapKey): boolean {
    if (typeof key !== 'string') return false;
    const fields = this.#decl?.fields;
    if (fields === undefined) return Object.hasOwn(this.#data, key) && this.#data[key] !== undefined;
    const name = fields.get(key)?.jsonName;
    return name !== undefined && Object.hasOwn(this.#data, name) && isSet(this.#data[name]);
  }

  *keys(): Iterable<Value> {
    const fields = this.#decl?.fields;
    if (fields === undefined) {
      yield* Object.keys(this.#data);
      return;
    }
    for (const [name, field] of fields)
      if (Object.hasOwn(this.#data, field.jsonName) && isSet(this.#data[field.jsonName])) yield name;
  }

  #member(name: string, decl: DeclType | undefined): Value | undefined {
    if (!Object.hasOwn(this.#data, name)) return undefined;
    const data = this.#data[name];
    return data === undefined ? undefined : toValue(data, decl);
  }
}

/** A value as JSON data, for results. Throws a Failure for what JSON cannot say. */
export function toJSON(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof ListValue) return [...value].map(toJSON);
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map((key) => [String(key), toJSON(value.get(key as MapKey) ?? null)] as const);
    return Object.fromEntries(entries);
  }
  if (value instanceof OptionalValue) return value.value === undefined ? null : toJSON(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  throw new Failure('the value has no JSON form');
}
