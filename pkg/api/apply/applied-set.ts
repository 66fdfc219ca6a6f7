import { atOnce, type Steps } from '../../base/steps.ts';
import type { Schema } from '../schema.ts';
import { emptySet, type FieldSet, isEmptySet, isMember, SetMaker } from './field-set.ts';
import {
  elementsOf,
  isDeclared,
  isObject,
  itemSchema,
  listElement,
  memberSchema,
  membersOf,
  structureOf,
} from './structure.ts';

/**
 * The fields that an applied configuration claims: every scalar and unit, every element of an associative list with what is
 * in it, every key of a map. Members of `untracked` and what is below them are left out.
 */
export function appliedSet(schema: Schema, config: unknown, untracked: FieldSet): FieldSet {
  return atOnce(appliedSteps(schema, config, untracked));
}

/** The same in steps, each of which takes time by the size of the configuration. */
export function* appliedSteps(schema: Schema, config: unknown, untracked: FieldSet): Steps<FieldSet> {
  const claimer = new Claimer();
  const set = claimer.members(schema, config, untracked, false) ?? emptySet;
  yield* claimer.sets.finish();
  return set;
}

class Claimer {
  readonly sets = new SetMaker();

  members(
    schema: Schema,
    value: unknown,
    untracked: FieldSet | undefined,
    countsItself: boolean,
  ): FieldSet | undefined {
    const elements = countsItself ? ['.'] : [];
    const nodes: FieldSet[] = countsItself ? [emptySet] : [];
    const members = membersOf(value);
    for (const name in members) {
      const member = members[name];
      const unclaimable = untracked?.[`f:${name}`];
      if (member === undefined || (unclaimable !== undefined && isMember(unclaimable))) continue;
      const isUnit = member === null || (isObject(member) && isEmptySet(member as FieldSet));
      const node = isUnit
        ? emptySet
        : this.#claim(memberSchema(schema, name), member, unclaimable, !isDeclared(schema, name));
      if (node === undefined) continue;
      elements.push(`f:${name}`);
      nodes.push(node);
    }
    return this.#set(elements, nodes, countsItself);
  }

  /** What a value claims; itself only when it is a unit or told to count itself. Undefined for nothing. */
  #claim(schema: Schema, value: unknown, untracked: FieldSet | undefined, countsItself: boolean): FieldSet | undefined {
    switch (structureOf(schema, value)) {
      case 'leaf':
        return emptySet;
      case 'map':
        return this.members(schema, value, untracked, countsItself);
      case 'list':
        return this.#elements(schema, value, countsItself);
    }
  }

  #elements(schema: Schema, value: unknown, countsItself: boolean): FieldSet | undefined {
    const nodeOf = new Map<string, FieldSet>(countsItself ? [['.', emptySet]] : []);
    const items = itemSchema(schema);
    for (const item of elementsOf(value)) {
      const element = listElement(schema, item);
      if (element !== undefined) nodeOf.set(element, this.#claim(items, item, undefined, true) ?? emptySet);
    }
    return this.#set([...nodeOf.keys()], [...nodeOf.values()], countsItself);
  }

  /** With nothing below it, what counts itself is the empty node. */
  #set(elements: string[], nodes: readonly FieldSet[], countsItself: boolean): FieldSet | undefined {
    if (elements.length > (countsItself ? 1 : 0)) return this.sets.make(elements, nodes);
    return countsItself ? emptySet : undefined;
  }
}
