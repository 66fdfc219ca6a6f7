import { setMember } from '../patch/members.ts';
import type { Schema } from '../schema.ts';
import { elementsOf, isObject, itemSchema, listElement, memberSchema, membersOf, structureOf } from './structure.ts';

/** `live` with everything that `config` says; parts that the configuration does not touch are shared with `live`. */
export function mergeConfig(schema: Schema, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const structure = structureOf(schema, config ?? live);
  if (structure === 'leaf' || (config === null && isHollow(live))) return config;
  return structure === 'map'
    ? mergeMembers(schema, live, config)
    : mergeElements(schema, elementsOf(live), elementsOf(config));
}

function mergeMembers(schema: Schema, live: unknown, config: unknown): unknown {
  const before = membersOf(live);
  const members = membersOf(config);
  let merged: Record<string, unknown> | undefined;
  for (const name of Object.keys(members)) {
    const current = Object.hasOwn(before, name) ? before[name] : undefined;
    const value = mergeConfig(memberSchema(schema, name), current, members[name]);
    if (value === current && value !== undefined) continue;
    // To copy a large map takes long, and most configurations change little.
    merged ??= { ...before };
    setMember(merged, name, value);
  }
  return merged ?? before;
}

interface Keyed {
  readonly element: string | undefined;
  readonly item: unknown;
}

/**
 * Merges an associative list. The configuration's elements keep their order; elements that only the live list has stay
 * behind the one that they follow there, as far as that goes.
 */
function mergeElements(schema: Schema, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const keyed = (item: unknown): Keyed => ({ element: listElement(schema, item), item });
  const left = live.map(keyed);
  const right = config.map(keyed);
  const liveItems = new Map(left.map(({ element, item }) => [element, item]));
  const configElements = new Set(right.map(({ element }) => element));
  const shared = right.filter(({ element }) => liveItems.has(element)).map(({ element }) => element);
  const merged: unknown[] = [];
  const placed = new Set<string | undefined>();
  let nextShared = 0;
  let l = 0;
  const place = ({ element, item }: Keyed): void => {
    placed.add(element);
    merged.push(mergeConfig(itemSchema(schema), liveItems.get(element), item));
    if (shared[nextShared] === element) nextShared++;
  };
  for (const entry of right) {
    // Before an element of the configuration come the live-only ones up to the next live element that both have.
    while (l < left.length) {
      const candidate = left[l];
      if (candidate === undefined || candidate.element === entry.element) break;
      if (!configElements.has(candidate.element)) merged.push(candidate.item);
      else if (!placed.has(candidate.element) && candidate.element === shared[nextShared]) break;
      l++;
    }
    if (left[l]?.element === entry.element) l++;
    place(entry);
  }
  for (const { element, item } of left.slice(l)) if (!configElements.has(element)) merged.push(item);
  return merged;
}

function isHollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return !isObject(value) || Object.keys(value).length === 0;
}
