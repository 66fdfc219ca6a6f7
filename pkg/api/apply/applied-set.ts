import type { Schema } from '../schema.ts';
import { type FieldSet, FieldSetBuilder, isMember } from './field-set.ts';
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
  const builder = new FieldSetBuilder();
  claimMembers(builder, [], schema, config, untracked);
  return builder.build();
}

function claimMembers(
  builder: FieldSetBuilder,
  path: string[],
  schema: Schema,
  value: unknown,
  untracked?: FieldSet,
): void {
  const members = membersOf(value);
  for (const name in members) {
    const below = untracked?.[`f:${name}`];
    if (members[name] === undefined || (below !== undefined && isMember(below))) continue;
    path.push(`f:${name}`);
    const member = members[name];
    claim(builder, path, memberSchema(schema, name), member, below);
    if (member === null || (isObject(member) && isEmpty(member)) || !isDeclared(schema, name)) builder.insert(path);
    path.pop();
  }
}

function claim(builder: FieldSetBuilder, path: string[], schema: Schema, value: unknown, untracked?: FieldSet): void {
  switch (structureOf(schema, value)) {
    case 'leaf':
      builder.insert(path);
      return;
    case 'map':
      claimMembers(builder, path, schema, value, untracked);
      return;
    case 'list':
      for (const item of elementsOf(value)) {
        const element = listElement(schema, item);
        if (element === undefined) continue;
        path.push(element);
        claim(builder, path, itemSchema(schema), item);
        builder.insert(path);
        path.pop();
      }
  }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}
