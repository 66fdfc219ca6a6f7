import type { CelType } from './types.ts';

/**
 * What expressions compute with. int is a bigint, double a number; JSON data stays what it is behind ListValue and
 * MapValue and is read element by element.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Duration
  | Timestamp
  | ListValue
  | MapValue
  | OptionalValue
  | TypeValue
  | HostValue;

/** An unsigned 64-bit integer. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Timestamp {
  /** Since 1970. */
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export abstract class ListValue implements Iterable<Value> {
  abstract readonly size: number;
  /** The element; the index is in range. */
  abstract at(index: number): Value;

  *[Symbol.iterator](): Iterator<Value> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }

  /** Equality of lists that are sets or maps by key; undefined for plain lists. */
  sameMembers(_other: ListValue): boolean | undefined {
    return undefined;
  }

  plus(other: ListValue): ListValue {
    if (this.size === 0) return other;
    return other.size === 0 ? this : new JoinedList(this, other);
  }
}

/** Keys of maps: equal numbers are the same key, whatever their type. */
export type MapKey = string | boolean | bigint;

export abstract class MapValue {
  abstract readonly size: number;
  abstract get(key: MapKey): Value | undefined;
  abstract has(key: MapKey): boolean;
  abstract keys(): Iterable<Value>;
  /** Set for values of object types: they have fields, and a name. */
  readonly objectType: CelType | undefined = undefined;
}

export class OptionalValue {
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export class TypeValue {
  readonly type: CelType;

  constructor(type: CelType) {
    this.type = type;
  }
}

/** A value of a library's own type: an IP address, a URL, an authorizer. */
export abstract class HostValue {
  abstract readonly type: CelType;
  abstract equals(other: HostValue): boolean;
  /** What runtime costs count; absent where it is 1. */
  readonly costSize: number | undefined = undefined;
}

export class ArrayList extends ListValue {
  readonly #values: readonly Value[];

  constructor(values: readonly Value[]) {
    super();
    this.#values = values;
  }

  get size(): number {
    return this.#values.length;
  }

  at(index: number): Value {
    return this.#values[index] as Value;
  }

  override [Symbol.iterator](): Iterator<Value> {
    return this.#values[Symbol.iterator]();
  }
}

/** A list and more behind it; what + makes, without copying. Reading flattens it once. */
export class JoinedList extends ListValue {
  readonly size: number;
  #parts: readonly [ListValue, ListValue] | undefined;
  #values: Value[] | undefined;

  constructor(left: ListValue, right: ListValue) {
    super();
    this.#parts = [left, right];
    this.size = left.size + right.size;
  }

  at(index: number): Value {
    return this.#flat()[index] as Value;
  }

  #flat(): Value[] {
    if (this.#values === undefined) {
      const reversed: ListValue[] = [];
      let rest: ListValue = this;
      while (rest instanceof JoinedList && rest.#parts !== undefined) {
        reversed.push(rest.#parts[1]);
        rest = rest.#parts[0];
      }
      reversed.push(rest);
      this.#values = reversed.reverse().flatMap((part) => [...part]);
      this.#parts = undefined;
    }
    return this.#values;
  }
}

export class HashMapValue extends MapValue {
  readonly #entries: ReadonlyMap<MapKey, readonly [Value, Value]>;
  readonly #absent: Value | undefined;

  /** `absent`: what a key that is not there reads as; without it reading such a key fails. */
  constructor(entries: ReadonlyMap<MapKey, readonly [Value, Value]>, absent?: Value) {
    super();
    this.#entries = entries;
    this.#absent = absent;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: MapKey): Value | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? this.#absent : entry[1];
  }

  has(key: MapKey): boolean {
    return this.#entries.has(key);
  }

  keys(): Iterable<Value> {
    return this.#entries.values().map(([key]) => key);
  }
}

/** A value of a type with fields that an expression has written down. */
export class StructValue extends MapValue {
  override readonly objectType: CelType;
  readonly #fields: ReadonlyMap<string, Value>;

  constructor(type: CelType, fields: ReadonlyMap<string, Value>) {
    super();
    this.objectType = type;
    this.#fields = fields;
  }

  get size(): number {
    return this.#fields.size;
  }

  get(key: MapKey): Value | undefined {
    return this.#fields.get(String(key));
  }

  has(key: MapKey): boolean {
    return this.#fields.has(String(key));
  }

  keys(): Iterable<Value> {
    return this.#fields.keys();
  }
}

/** A map that a fold grows in place; nothing else holds it while it grows. */
export class GrowingMap extends MapValue {
  readonly #entries = new Map<MapKey, readonly [Value, Value]>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: MapKey): Value | undefined {
    return this.#entries.get(key)?.[1];
  }

  has(key: MapKey): boolean {
    return this.#entries.has(key);
  }

  keys(): Iterable<Value> {
    return this.#entries.values().map(([key]) => key);
  }

  set(hashed: MapKey, key: Value, value: Value): void {
    this.#entries.set(hashed, [key, value]);
  }
}

/** The key that a value is in maps; undefined when it cannot be one. */
export function mapKey(value: Value): MapKey | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (value instanceof Uint) return value.value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  return undefined;
}

/** Whether two values are equal; values of different types are not, numbers compare by amount. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return equalScalars(a, b);
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b);
  if (a instanceof Uint) return b instanceof Uint && a.value === b.value;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.type.name === b.type.name;
  if (a instanceof OptionalValue) {
    if (!(b instanceof OptionalValue)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equalValues(a.value, b.value);
  }
  return b instanceof HostValue && a.type.name === b.type.name && a.equals(b);
}

function equalScalars(a: Value, b: Value): boolean {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (typeof left === 'bigint' || typeof left === 'number') {
    if (typeof right !== 'bigint' && typeof right !== 'number') return false;
    // Comparing a bigint with a number is exact in JavaScript; NaN equals nothing.
    return left >= right && left <= right;
  }
  return false;
}

function equalLists(a: ListValue, b: ListValue): boolean {
  const special = a.sameMembers(b);
  if (special !== undefined) return special;
  if (a.size !== b.size) return false;
  for (let i = 0; i < a.size; i++) if (!equalValues(a.at(i), b.at(i))) return false;
  return true;
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const hashed = mapKey(key);
    if (hashed === undefined) return false;
    const left = a.get(hashed);
    const right = b.get(hashed);
    if (left === undefined || right === undefined || !equalValues(left, right)) return false;
  }
  return true;
}

/** Negative, zero or positive; undefined when the values have no common order (NaN included). */
export function compareValues(a: Value, b: Value): number | undefined {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (isNumeric(left) && isNumeric(right)) {
    if (typeof left === typeof right) return left < right ? -1 : left > right ? 1 : left === right ? 0 : undefined;
    return compareMixed(left, right);
  }
  if (typeof left === 'string') return typeof right === 'string' ? compareText(left, right) : undefined;
  if (typeof left === 'boolean') return typeof right === 'boolean' ? Number(left) - Number(right) : undefined;
  if (left instanceof Duration && right instanceof Duration) return compareBig(left.nanos, right.nanos);
  if (left instanceof Timestamp && right instanceof Timestamp) return compareBig(left.nanos, right.nanos);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  return undefined;
}

function isNumeric(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** An integer compared with a double loses what a double cannot hold, as in cel-go. */
function compareMixed(left: bigint | number, right: bigint | number): number | undefined {
  const a = Number(left);
  const b = Number(right);
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : undefined;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code point, as UTF-8 orders. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let left = a.charCodeAt(i);
    let right = b.charCodeAt(i);
    if (left === right) continue;
    // Surrogates stand for code points above every other unit.
    if (left >= 0xd800 && right >= 0xd800) {
      left = left >= 0xe000 ? left - 0x800 : left + 0x2000;
      right = right >= 0xe000 ? right - 0x800 : right + 0x2000;
    }
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** The number of code points. */
export function textLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        length--;
        i++;
      }
    }
  }
  return length;
}
