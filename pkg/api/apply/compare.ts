import { equalJSON } from '../../base/json.ts';
import { atOnce, type Steps } from '../../base/steps.ts';
import { member } from '../patch/members.ts';
import type { Schema } from '../schema.ts';
import { emptySet, type FieldSet, FieldSetBuilder, isMember, ordered, setOfNodes } from './field-set.ts';
import {
  elementsOf,
  fieldElements,
  itemSchema,
  type JSONObject,
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
  return atOnce(compareSteps(schema, old, object, untracked));
}

/** The same in steps that compare a limited number of values each. */
export function* compareSteps(schema: Schema, old: unknown, object: unknown, untracked: FieldSet): Steps<Comparison> {
  const comparer = new Comparer();
  comparer.members(schema, old, object, untracked);
  yield* comparer.rest();
  return yield* comparer.result();
}

/** How many values are compared in one step. */
const STEP_VALUES = 2000;

/** What is left of an object or a list for later steps. */
interface Rest {
  readonly path: readonly string[];
  /** Compares the members or elements that are left, one with each step. */
  readonly steps: Steps<void>;
}

class Comparer {
  readonly #added = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #removed = new FieldSetBuilder();
  #path: string[] = [];
  /** How many values have been compared in this step. */
  #values = 0;
  readonly #rests: Rest[] = [];

  *result(): Steps<Comparison> {
    const added = yield* this.#added.buildSteps();
    yield;
    const modified = yield* this.#modified.buildSteps();
    yield;
    const removed = yield* this.#removed.buildSteps();
    yield;
    const same = this.#added.isEmpty && this.#modified.isEmpty && this.#removed.isEmpty;
    return { added, modified, removed, same };
  }

  /** Goes on with what has been left. */
  *rest(): Steps<void> {
    for (let rest = this.#rests.pop(); rest !== undefined; rest = this.#rests.pop()) {
      this.#path = [...rest.path];
      for (;;) {
        if (this.#isSpent) {
          yield;
          this.#values = 0;
        }
        if (rest.steps.next().done) break;
      }
    }
  }

  members(schema: Schema, old: unknown, object: unknown, untracked?: FieldSet): void {
    const before = membersOf(old);
    const after = membersOf(object);
    let done = 0;
    for (const name in before) {
      if (this.#isSpent) {
        this.#leave(this.#restOfMembers(schema, before, after, untracked, done));
        return;
      }
      this.#member(schema, name, before[name], member(after, name), untracked);
      done++;
    }
    for (const name in after) {
      if (this.#isSpent) {
        this.#leave(this.#restOfMembers(schema, before, after, untracked, done));
        return;
      }
      if (member(before, name) === undefined) this.#member(schema, name, undefined, after[name], untracked);
      done++;
    }
  }

  *#restOfMembers(
    schema: Schema,
    before: JSONObject,
    after: JSONObject,
    untracked: FieldSet | undefined,
    done: number,
  ): Steps<void> {
    const names = Object.keys(before);
    const added = Object.keys(after);
    for (let i = done; i < names.length; i++) {
      const name = names[i] as string;
      this.#member(schema, name, before[name], member(after, name), untracked);
      yield;
    }
    for (let i = Math.max(0, done - names.length); i < added.length; i++) {
      const name = added[i] as string;
      if (member(before, name) === undefined) this.#member(schema, name, undefined, after[name], untracked);
      yield;
    }
  }

  get #isSpent(): boolean {
    return this.#values >= STEP_VALUES;
  }

  #leave(steps: Steps<void>): void {
    this.#rests.push({ path: [...this.#path], steps });
  }

  #member(schema: Schema, name: string, old: unknown, value: unknown, untracked: FieldSet | undefined): void {
    this.#values++;
    if (old === value) return;
    const below = untracked?.[`f:${name}`];
    if (below !== undefined && isMember(below)) return;
    this.#path.push(`f:${name}`);
    this.#compare(memberSchema(schema, name), old, value, below);
    this.#path.pop();
  }

  #compare(schema: Schema, old: unknown, value: unknown, untracked?: FieldSet): void {
    if (old === value) return;
    const isWhole = untracked === undefined && (old === undefined || value === undefined);
    if (isWhole) {
      const whole = this.#whole(schema, value ?? old);
      if (whole !== undefined) {
        if (old === undefined) this.#added.insert(this.#path, whole);
        else this.#removed.insert(this.#path, whole);
        return;
      }
    }
    const structure = structureOf(schema, value ?? old);
    // What is too much for this step is no leaf and not hollow; to ask a large object takes time by its size.
    if (!isWhole && (structure === 'leaf' || (isHollow(old) && isHollow(value)))) {
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
    const steps = this.#restOfElements(schema, before, after);
    while (!steps.next().done) {
      if (!this.#isSpent) continue;
      this.#leave(steps);
      return;
    }
  }

  *#restOfElements(schema: Schema, before: Elements, after: Elements): Steps<void> {
    for (const [element, items] of before) {
      this.#element(schema, element, items, after.get(element));
      yield;
    }
    for (const [element, items] of after) {
      if (before.has(element)) continue;
      this.#element(schema, element, undefined, items);
      yield;
    }
  }

  /** Elements with the same identity are one element, or, if there are several, one unit. */
  #element(schema: Schema, element: string, old: unknown[] | undefined, items: unknown[] | undefined): void {
    this.#values++;
    this.#path.push(element);
    if ((old?.length ?? 0) > 1 || (items?.length ?? 0) > 1) this.#leaf(old, items);
    else this.#compare(itemSchema(schema), old?.[0], items?.[0]);
    this.#path.pop();
  }

  /** Everything of a value that is new or gone, itself included; undefined when that is too much for this step. */
  #whole(schema: Schema, value: unknown): FieldSet | undefined {
    const structure = structureOf(schema, value);
    if (structure === 'leaf' || isHollow(value)) return emptySet;
    return structure === 'map' ? this.#wholeMap(schema, value) : this.#wholeList(schema, value);
  }

  #wholeMap(schema: Schema, value: unknown): FieldSet | undefined {
    const elements = ['.'];
    const nodes: FieldSet[] = [emptySet];
    const members = membersOf(value);
    const fields = fieldElements(schema);
    for (const name in members) {
      if (this.#isSpent) return undefined;
      this.#values++;
      const member = members[name];
      if (member === undefined) continue;
      const field = fields?.get(name);
      const node = field?.isLeaf ? emptySet : this.#whole(field?.schema ?? memberSchema(schema, name), member);
      if (node === undefined) return undefined;
      elements.push(field?.element ?? `f:${name}`);
      nodes.push(node);
    }
    return setOfNodes(elements, nodes);
  }

  #wholeList(schema: Schema, value: unknown): FieldSet | undefined {
    const set: Record<string, FieldSet> = { '.': emptySet };
    const items = itemSchema(schema);
    for (const item of elementsOf(value)) {
      if (this.#isSpent) return undefined;
      this.#values++;
      const element = listElement(schema, item);
      if (element === undefined) continue;
      const node = set[element] === undefined ? this.#whole(items, item) : emptySet;
      if (node === undefined) return undefined;
      set[element] = node;
    }
    return ordered(set);
  }
}

/** Null, {} or []: compared as a unit, which keeps the difference between null and empty. */
export function isHollow(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** The elements of a list by what identifies them. */
type Elements = ReadonlyMap<string, unknown[]>;

function byElement(schema: Schema, items: readonly unknown[]): Elements {
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
