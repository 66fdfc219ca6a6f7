import type { Steps } from './steps.ts';

/** What JSON can say. */
export type JSONValue = null | boolean | number | string | JSONValue[] | { [key: string]: JSONValue };

/** A deep copy of plain JSON data. `__proto__` and `constructor` are copied as plain data. */
export function cloneJSON<T>(value: T): Mutable<T> {
  return clone(value) as Mutable<T>;
}

function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const copy = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) copy[i] = clone(value[i]);
    return copy;
  }
  const copy: Record<string, unknown> = {};
  const source = value as Record<string, unknown>;
  for (const key in source) {
    if (key === '__proto__') {
      Object.defineProperty(copy, key, {
        value: clone(source[key]),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else {
      copy[key] = clone(source[key]);
    }
  }
  return copy;
}

/** How many values are copied in one step. */
const STEP_VALUES = 2000;

/** The same in steps that copy a limited number of values each. */
export function* cloneSteps<T>(value: T): Steps<Mutable<T>> {
  const cloner = new Cloner();
  const copy = cloner.clone(value);
  yield* cloner.rest();
  return copy as Mutable<T>;
}

type Container = Record<string, unknown>;

class Cloner {
  #values = 0;
  /** What has not been filled, or not to the end, with the members that it is to get. */
  readonly #rests: { readonly copy: Container; readonly source: Container; readonly done: number }[] = [];

  clone(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value) ? this.#list(value) : this.#object(value as Container);
  }

  #list(source: readonly unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (let i = 0; i < source.length; i++) {
      if (this.#values >= STEP_VALUES) {
        this.#rests.push({ copy: copy as unknown as Container, source: source as unknown as Container, done: i });
        break;
      }
      this.#values++;
      copy.push(this.clone(source[i]));
    }
    return copy;
  }

  #object(source: Container): Container {
    const copy: Container = {};
    let done = 0;
    for (const key in source) {
      if (this.#values >= STEP_VALUES) {
        this.#rests.push({ copy, source, done });
        break;
      }
      this.#copyMember(copy, source, key);
      done++;
    }
    return copy;
  }

  *rest(): Steps<void> {
    for (let rest = this.#rests.pop(); rest !== undefined; rest = this.#rests.pop()) {
      const { copy, source, done } = rest;
      const keys = Object.keys(source);
      for (let i = done; i < keys.length; i++) {
        if (this.#values >= STEP_VALUES) {
          yield;
          this.#values = 0;
        }
        this.#copyMember(copy, source, keys[i] as string);
      }
    }
  }

  #copyMember(copy: Container, source: Container, key: string): void {
    this.#values++;
    const value = this.clone(source[key]);
    if (key === '__proto__') {
      Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
    } else {
      copy[key] = value;
    }
  }
}

/** `readonly` at every depth; what the API machinery hands out. */
export type DeepReadonly<T> = T extends (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends readonly (infer U)[]
    ? readonly DeepReadonly<U>[]
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/** The inverse of `DeepReadonly`, for copies. */
export type Mutable<T> = T extends readonly (infer U)[]
  ? Mutable<U>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

/** Structural equality of JSON data; key order does not matter, `undefined` members count as absent. */
export function equalJSON(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equalJSON(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let count = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    if (!Object.hasOwn(right, key) || !equalJSON(left[key], right[key])) return false;
    count++;
  }
  for (const key in right) if (right[key] !== undefined) count--;
  return count === 0;
}

/** JSON without white space and with the members of every object in order: the same text for equal values. */
export function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJSON(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJSON(member)}`).join(',')}}`;
}
