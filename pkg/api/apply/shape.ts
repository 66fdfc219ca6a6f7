import { member } from '../patch/members.ts';
import type { Schema } from '../schema.ts';
import { isHollow } from './compare.ts';
import { type FieldSet, isMember } from './field-set.ts';
import { isObject, itemSchema, type JSONObject, listElement, memberSchema, structureOf } from './structure.ts';

/**
 * What decides how an object differs from one without content: which fields it has and what identifies the elements of its
 * lists, not what the fields are. Objects of one shape have the same fields that somebody comes to own.
 */
export type Shape =
  /** A unit, whatever it is. */
  | { readonly is: 'anything' }
  /** Null, {} or [] where there may be members or elements. */
  | { readonly is: 'hollow' }
  /** What no schema describes: anything that has no members. */
  | { readonly is: 'unit' }
  | { readonly is: 'unchanged' | 'changed'; readonly old: unknown }
  | { readonly is: 'map'; readonly names: readonly string[]; readonly below: readonly Shape[] }
  | {
      readonly is: 'list';
      /** The fields that identify an element; undefined: elements are their own identity. */
      readonly keys: readonly string[] | undefined;
      /** For each element what those fields are, one element after the other. */
      readonly identities: readonly unknown[];
      readonly below: readonly Shape[];
    };

/** Shapes are kept: larger ones take more memory than they are worth. */
const MAX_NODES = 1000;

const ANYTHING: Shape = { is: 'anything' };
const HOLLOW: Shape = { is: 'hollow' };
const UNIT: Shape = { is: 'unit' };
const EMPTY: Shape = { is: 'map', names: [], below: [] };

/**
 * The shape of `object` in comparison with `empty`, without what is `untracked`. Undefined for one that is too large or too
 * odd to be kept: with elements of the same identity, say.
 */
export function shapeOf(schema: Schema, empty: JSONObject, object: JSONObject, untracked: FieldSet): Shape | undefined {
  return new ShapeReader().members(schema, empty, object, untracked);
}

class ShapeReader {
  #nodes = 0;

  members(
    schema: Schema,
    old: JSONObject | undefined,
    object: JSONObject,
    untracked: FieldSet | undefined,
  ): Shape | undefined {
    const names: string[] = [];
    const below: Shape[] = [];
    for (const name in object) {
      const value = object[name];
      if (value === undefined) continue;
      const shape = this.#value(memberSchema(schema, name), old && member(old, name), value, untracked?.[`f:${name}`]);
      if (shape === undefined) return undefined;
      names.push(name);
      below.push(shape);
    }
    return { is: 'map', names, below };
  }

  #value(schema: Schema, old: unknown, value: unknown, untracked: FieldSet | undefined): Shape | undefined {
    this.#nodes++;
    if (this.#nodes > MAX_NODES) return undefined;
    if (untracked !== undefined && isMember(untracked)) return ANYTHING;
    if (old === value) return typeof old === 'object' && old !== null ? undefined : { is: 'unchanged', old };
    if (isObject(old) && isHollow(old) && isObject(value) && isHollow(value)) return EMPTY;
    const structure = structureOf(schema, value);
    const open = schema.type === 'any' && schema.name === undefined;
    if (old !== undefined && (open || isHollow(value))) return undefined;
    if (structure === 'leaf' || (open && isHollow(value))) {
      if (old === undefined) return open ? UNIT : ANYTHING;
      return typeof old === 'object' && old !== null ? undefined : { is: 'changed', old };
    }
    if (isHollow(value)) return HOLLOW;
    if (structure === 'map')
      return isObject(value) ? this.members(schema, isObject(old) ? old : undefined, value, untracked) : undefined;
    return Array.isArray(value) ? this.#elements(schema, value) : undefined;
  }

  #elements(schema: Schema, list: readonly unknown[]): Shape | undefined {
    const keys = schema.listType === 'set' ? undefined : (schema.listMapKeys ?? []);
    const identities: unknown[] = [];
    const below: Shape[] = [];
    const seen = new Set<string>();
    for (const item of list) {
      const element = listElement(schema, item);
      if (element === undefined || seen.has(element)) return undefined;
      seen.add(element);
      const identity = keys === undefined ? [item] : keys.map((key) => (item as JSONObject)[key]);
      if (identity.some((part) => typeof part === 'object' && part !== null)) return undefined;
      const shape = this.#value(itemSchema(schema), undefined, item, undefined);
      if (shape === undefined) return undefined;
      identities.push(...identity);
      below.push(shape);
    }
    return { is: 'list', keys, identities, below };
  }
}

/** Whether a value has a shape. */
export function hasShape(shape: Shape, value: unknown): boolean {
  switch (shape.is) {
    case 'anything':
      return true;
    case 'hollow':
      return isHollow(value);
    case 'unit':
      return !isObject(value) || isHollow(value);
    case 'unchanged':
      return value === shape.old;
    case 'changed':
      return value !== shape.old;
    case 'map':
      return isObject(value) && hasMembers(shape, value);
    default:
      return Array.isArray(value) && hasElements(shape, value);
  }
}

function hasMembers({ names, below }: Shape & { is: 'map' }, object: JSONObject): boolean {
  let i = 0;
  for (const name in object) {
    const value = object[name];
    if (value === undefined) continue;
    const shape = below[i];
    if (name !== names[i] || shape === undefined || !hasShape(shape, value)) return false;
    i++;
  }
  return i === names.length;
}

function hasElements({ keys, identities, below }: Shape & { is: 'list' }, list: readonly unknown[]): boolean {
  if (list.length !== below.length) return false;
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    const shape = below[i];
    if (shape === undefined || !isElement(keys, identities, i, item) || !hasShape(shape, item)) return false;
  }
  return true;
}

/** Whether an item is identified as the element at `index` is. */
function isElement(keys: readonly string[] | undefined, identities: readonly unknown[], index: number, item: unknown) {
  if (keys === undefined) return item === identities[index];
  if (!isObject(item)) return false;
  for (let k = 0; k < keys.length; k++) {
    if (item[keys[k] as string] !== identities[index * keys.length + k]) return false;
  }
  return true;
}
