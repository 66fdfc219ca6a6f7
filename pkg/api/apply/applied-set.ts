import type { Schema } from '../schema.ts';
import { emptySet, type FieldSet, isEmptySet, isMember, ordered, setOfNodes } from './field-set.ts';
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
  return claimMembers(schema, config, untracked) ?? emptySet;
}

/** What a value claims, itself not counted unless it is a unit; undefined for nothing. */
function claim(schema: Schema, value: unknown, untracked: FieldSet | undefined): FieldSet | undefined {
  switch (structureOf(schema, value)) {
    case 'leaf':
      return emptySet;
    case 'map':
      return claimMembers(schema, value, untracked);
    case 'list':
      return claimElements(schema, value);
  }
}

function claimMembers(schema: Schema, value: unknown, untracked: FieldSet | undefined): FieldSet | undefined {
  const elements: string[] = [];
  const nodes: FieldSet[] = [];
  const members = membersOf(value);
  for (const name in members) {
    const member = members[name];
    const unclaimable = untracked?.[`f:${name}`];
    if (member === undefined || (unclaimable !== undefined && isMember(unclaimable))) continue;
    const below = claim(memberSchema(schema, name), member, unclaimable);
    const itself = member === null || (isObject(member) && isEmptySet(member as FieldSet)) || !isDeclared(schema, name);
    const node = itself ? asMember(below) : below;
    if (node === undefined) continue;
    elements.push(`f:${name}`);
    nodes.push(node);
  }
  return elements.length === 0 ? undefined : setOfNodes(elements, nodes);
}

function claimElements(schema: Schema, value: unknown): FieldSet | undefined {
  let set: Record<string, FieldSet> | undefined;
  const items = itemSchema(schema);
  for (const item of elementsOf(value)) {
    const element = listElement(schema, item);
    if (element === undefined) continue;
    set ??= {};
    set[element] = asMember(claim(items, item, undefined));
  }
  return set === undefined ? undefined : ordered(set);
}

function asMember(below: FieldSet | undefined): FieldSet {
  return below === undefined || isMember(below) ? (below ?? emptySet) : { '.': emptySet, ...below };
}
