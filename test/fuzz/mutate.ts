import { hostileKey, hostileString, hostileValue, pollution } from './hostile.ts';
import type { Random } from './random.ts';
import { Members, Raw, type Value } from './value.ts';

/** A place in a document: its container and where in it. */
interface Place {
  readonly parent: Members | Value[];
  readonly index: number;
}

const PLACES_MAX = 5000;

/** Changes a document in up to three places; the root itself is rarely replaced. */
export function mutate(document: Value, random: Random): Value {
  if (random.chance(0.02)) return hostileValue(random);
  const times = 1 + random.int(3);
  for (let i = 0; i < times; i++) {
    const places = placesOf(document);
    if (places.length > 0) change(random.pick(places), random);
  }
  return document;
}

function placesOf(document: Value): Place[] {
  const places: Place[] = [];
  const walk = (value: Value): void => {
    if (value instanceof Raw || places.length > PLACES_MAX) return;
    const parent = value instanceof Members || Array.isArray(value) ? value : undefined;
    if (parent === undefined) return;
    const length = parent instanceof Members ? parent.entries.length : parent.length;
    for (let index = 0; index < length; index++) {
      places.push({ parent, index });
      walk(itemAt(parent, index));
    }
  };
  walk(document);
  return places;
}

function itemAt(parent: Members | Value[], index: number): Value {
  return (parent instanceof Members ? parent.entries[index]?.[1] : parent[index]) ?? null;
}

function change({ parent, index }: Place, random: Random): void {
  const current = itemAt(parent, index);
  const replace = (value: Value): void => {
    if (Array.isArray(parent)) parent[index] = value;
    else parent.entries[index] = [parent.entries[index]?.[0] ?? '', value];
  };
  random.weighted<() => void>([
    [5, () => replace(hostileValue(random))],
    [3, () => replace(typeof current === 'string' ? twisted(current, random) : hostileString(random))],
    [2, () => replace(null)],
    [2, () => void (parent instanceof Members ? parent.entries.splice(index, 1) : parent.splice(index, 1))],
    [2, () => add(parent, hostileKey(random), hostileValue(random))],
    [2, () => add(parent, 'metadata', pollution(random))],
    [2, () => repeat(parent, index, random)],
    [1, () => rename(parent, index, random)],
    [1, () => replace([current])],
    [1, () => replace(new Members([[hostileKey(random), current]]))],
  ])();
}

function add(parent: Members | Value[], name: string, value: Value): void {
  if (parent instanceof Members) parent.entries.push([name, value]);
  else parent.push(value);
}

/** The same member or item again: a duplicate key, a duplicate list-map key, or a very long list. */
function repeat(parent: Members | Value[], index: number, random: Random): void {
  const times = random.chance(0.05) ? 1 + random.int(1000) : 1;
  const name = parent instanceof Members ? (parent.entries[index]?.[0] ?? '') : '';
  const item = itemAt(parent, index);
  // The items are shared from here on: a later change of one is a change of all, and a cycle must not come of it.
  for (let i = 0; i < times; i++) add(parent, name, item);
}

function rename(parent: Members | Value[], index: number, random: Random): void {
  const entry = parent instanceof Members ? parent.entries[index] : undefined;
  if (entry !== undefined) entry[0] = random.chance(0.3) ? entry[0].toUpperCase() : hostileKey(random);
}

function twisted(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  return random.weighted<() => string>([
    [2, () => text.slice(0, at) + hostileString(random) + text.slice(at)],
    [2, () => text.slice(0, at)],
    [1, () => text.toUpperCase()],
    [1, () => text.repeat(2 + random.int(10))],
  ])();
}
