import { equalJSON } from '../../base/json.ts';
import { member } from '../patch/members.ts';
import type { Schema } from '../schema.ts';
import { emptySet, type FieldSet, FieldSetBuilder, isMember, ordered } from './field-set.ts';
import {
  elementsOf,
  fieldElements,
  itemSchema,
  listElement,
  memberSchema,
  membersOf,
  structureOf,
} from './structure.ts';

/** What differs between two versions of an object. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
  readonly same: boolean;
}

/** Compares two objects field by field; members of `untracked` and what is below them are not looked at. */
export function compareObjects(schema: Schema, old: unknown, object: unknown, untracked: FieldSet): Comparison {
  const comparer = new Comparer();
  comparer.members(schema, old, object, untracked);
  return comparer.result();
}

class Comparer {
  readonly #added = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #removed = new FieldSetBuilder();
  readonly #path: string[] = [];

  result(): Comparison {
    return {
      added: this.#added.build(),
      modified: this.#modified.build(),
      removed: this.#removed.build(),
      same: this.#added.isEmpty && this.#modified.isEmpty && this.#removed.isEmpty,
    };
  }

  members(schema: Schema, old: unknown, object: unknown, untracked?: FieldSet): void {
    const before = membersOf(old);
    const after = membersOf(object);
    for (const name in before) this.#member(schema, name, before[name], member(after, name), untracked);
    for (const name in after) {
      if (member(before, name) === undefined) this.#member(schema, name, undefined, after[name], untracked);
    }
  }

  #member(schema: Schema, name: string, old: unknown, value: unknown, untracked: FieldSet | undefined): void {
    if (old === value) return;
    const below = untracked?.[`f:${name}`];
    if (below !== undefined && isMember(below)) return;
    this.#path.push(`f:${name}`);
    this.#compare(memberSchema(schema, name), old, value, below);
    this.#path.pop();
  }

  #compare(schema: Schema, old: unknown, value: unknown, untracked?: FieldSet): void {
    if (old === value) return;
    if (untracked === undefined && (old === undefined || value === undefined)) {
      if (old === undefined) this.#added.insert(this.#path, wholeSet(schema, value));
      else this.#removed.insert(this.#path, wholeSet(schema, old));
      return;
    }
    const structure = structureOf(schema, value ?? old);
    if (structure === 'leaf' || (isHollow(old) && isHollow(value))) {
      this.#leaf(old, value);
      return;
    }
    if (structure === 'map') this.members(schema, old, value, untracked);
    else this.#elements(schema, old, value);
    if (old === undefined) this.#added.insert(this.#path);
    else if (value === undefined) this.#removed.insert(this.#path);
  }

  #leaf(old: unknown, value: unknown): void {
    if (old === undefined) this.#added.insert(this.#path);
    else if (value === undefined) this.#removed.insert(this.#path);
    else if (!equalJSON(old, value)) this.#modified.insert(this.#path);
  }

  #elements(schema: Schema, old: unknown, value: unknown): void {
    if (equalJSON(old, value)) return;
    const before = byElement(schema, elementsOf(old));
    const after = byElement(schema, elementsOf(value));
    for (const [element, items] of before) this.#element(schema, element, items, after.get(element));
    for (const [element, items] of after) if (!before.has(element)) this.#element(schema, element, undefined, items);
  }

  /** Elements with the same identity are one element, or, if there are several, one unit. */
  #element(schema: Schema, element: string, old: unknown[] | undefined, items: unknown[] | undefined): void {
    this.#path.push(element);
    if ((old?.length ?? 0) > 1 || (items?.length ?? 0) > 1) this.#leaf(old, items);
    else this.#compare(itemSchema(schema), old?.[0], items?.[0]);
    this.#path.pop();
  }
}

/** Everything of a value that is new or gone, itself included. */
function wholeSet(schema: Schema, value: unknown): FieldSet {
  const structure = structureOf(schema, value);
  if (structure === 'leaf' || isHollow(value)) return emptySet;
  const set: Record<string, FieldSet> = { '.': emptySet };
  if (structure === 'map') {
    const members = membersOf(value);
    const fields = fieldElements(schema);
    for (const name in members) {
      const member = members[name];
      if (member === undefined) continue;
      const field = fields?.get(name);
      if (field === undefined) set[`f:${name}`] = wholeSet(memberSchema(schema, name), member);
      else set[field.element] = field.isLeaf ? emptySet : wholeSet(field.schema, member);
    }
    return ordered(set);
  }
  const items = itemSchema(schema);
  for (const item of elementsOf(value)) {
    const element = listElement(schema, item);
    if (element !== undefined) set[element] = set[element] === undefined ? wholeSet(items, item) : emptySet;
  }
  return ordered(set);
}

/** Null, {} or []: compared as a unit, which keeps the difference between null and empty. */
export function isHollow(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

function byElement(schema: Schema, items: readonly unknown[]): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of items) {
    const element = listElement(schema, item);
    if (element === undefined) continue;
    const same = found.get(element);
    if (same === undefined) found.set(element, [item]);
    else same.push(item);
  }
  return found;
}
