import { setMember } from '../patch/members.ts';
import type { Schema } from '../schema.ts';
import { type FieldSet, isMember } from './field-set.ts';
import { elementsOf, isDeclared, isObject, itemSchema, listElement, memberSchema, structureOf } from './structure.ts';

/**
 * Removes what a manager no longer applies: everything in `last` (its former set) that is not in `owned` (all managers' sets
 * now). A declared field with owned fields below it counts as owned; an element of a list only when it is owned itself.
 * Returns `value` itself when nothing is removed.
 */
export function pruneUnowned(schema: Schema, value: unknown, last: FieldSet, owned: FieldSet | undefined): unknown {
  switch (structureOf(schema, value)) {
    case 'leaf':
      return value;
    case 'map':
      return isObject(value) ? pruneMembers(schema, value, last, owned) : value;
    case 'list':
      return Array.isArray(value) ? pruneElements(schema, value, last, owned) : value;
  }
}

function pruneMembers(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  last: FieldSet,
  owned: FieldSet | undefined,
): unknown {
  // Made from the first change on: of a large object mostly nothing goes, or nearly everything.
  let kept: Record<string, unknown> | undefined;
  let unchanged = 0;
  for (const name in value) {
    const member = value[name];
    const was = last[`f:${name}`];
    let rest = member;
    if (was !== undefined) {
      const is = owned?.[`f:${name}`];
      const declared = isDeclared(schema, name);
      const removed = (declared || isMember(was)) && !(is !== undefined && (declared || isMember(is)));
      rest = removed ? undefined : pruneUnowned(memberSchema(schema, name), member, was, is);
      if (rest !== member && isHollow(rest)) rest = undefined;
    }
    if (rest !== member) kept ??= firstMembers(value, unchanged);
    if (kept === undefined) unchanged++;
    else if (rest !== undefined) setMember(kept, name, rest);
  }
  return kept ?? value;
}

function firstMembers(value: Readonly<Record<string, unknown>>, count: number): Record<string, unknown> {
  const first: Record<string, unknown> = {};
  let left = count;
  for (const name in value) {
    if (left === 0) break;
    left--;
    if (value[name] !== undefined) setMember(first, name, value[name]);
  }
  return first;
}

function pruneElements(
  schema: Schema,
  value: readonly unknown[],
  last: FieldSet,
  owned: FieldSet | undefined,
): unknown {
  const kept: unknown[] = [];
  let changed = false;
  for (const item of elementsOf(value)) {
    const element = listElement(schema, item);
    const was = element === undefined ? undefined : last[element];
    if (element === undefined || was === undefined) {
      kept.push(item);
      continue;
    }
    const is = owned?.[element];
    const removed = isMember(was) && !(is !== undefined && isMember(is));
    if (removed) {
      changed = true;
      continue;
    }
    const rest = pruneUnowned(itemSchema(schema), item, was, is);
    if (rest !== item) changed = true;
    kept.push(rest);
  }
  return changed ? kept : value;
}

function isHollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
