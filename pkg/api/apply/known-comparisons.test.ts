import { describe, expect, test } from 'vitest';
import { atOnce } from '../../base/steps.ts';
import { builtinSchema } from '../schema/builtin.ts';
import type { Schema } from '../schema.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { emptySet, union } from './field-set.ts';
import { KnownComparisons } from './known-comparisons.ts';
import { fieldsText } from './shared-text.ts';
import type { JSONObject } from './structure.ts';
import { untrackedFields } from './untracked-fields.ts';

const pod = builtinSchema('core.v1.Pod');
const untracked = untrackedFields();
const empty = { apiVersion: 'v1', kind: 'Pod', metadata: { creationTimestamp: null }, spec: { containers: null } };

const podOf = (spec: object, metadata: object = {}): JSONObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', creationTimestamp: null, ...metadata },
  spec: { containers: null, ...spec },
});
const variables = (...names: string[]) => [{ name: 'c', env: names.map((name) => ({ name, value: `of ${name}` })) }];

function compare(known: KnownComparisons, object: JSONObject, isLarge = false): Comparison {
  return atOnce(known.compare(object, untracked, isLarge));
}

/** The two are compared one after the other, and again. */
function compareBoth(schema: Schema, base: JSONObject, one: JSONObject, other: JSONObject, times = 2): boolean {
  const known = new KnownComparisons(schema, base);
  let shared = false;
  for (let i = 0; i < times; i++) {
    const [first, second] = [compare(known, one), compare(known, other)];
    for (const [object, found] of [
      [one, first],
      [other, second],
    ] as const) {
      const { added, modified, removed, same } = compareObjects(schema, base, object, untracked);
      expect(found).toEqual({ added: union(added, modified), modified: emptySet, removed, same });
      expect(JSON.parse(fieldsText(found.added))).toEqual(found.added);
    }
    shared = first === second;
  }
  return shared;
}

describe('objects of one shape share what is found', () => {
  test.each<[string, JSONObject, JSONObject]>([
    [
      'other values',
      podOf({ containers: variables('A'), nodeName: 'x' }),
      podOf({ containers: variables('A'), nodeName: 'y' }),
    ],
    ['other names', podOf({ containers: null }, { name: 'a' }), podOf({ containers: null }, { name: 'b' })],
    ['other server fields', podOf({ containers: null }, { uid: '1' }), podOf({ containers: null }, { uid: '2' })],
    ['other units', podOf({ tolerations: [{ key: 'a' }] }), podOf({ tolerations: [] })],
  ])('%s', (_, one, other) => {
    expect(compareBoth(pod, empty, one, other)).toBe(true);
  });
});

describe('objects of other shapes do not', () => {
  test.each<[string, JSONObject, JSONObject]>([
    ['a field more', podOf({ nodeName: 'x' }), podOf({ nodeName: 'x', hostname: 'y' })],
    ['a field less', podOf({ nodeName: 'x', hostname: 'y' }), podOf({ nodeName: 'x' })],
    ['another field', podOf({ nodeName: 'x' }), podOf({ hostname: 'x' })],
    ['another key of a map', podOf({}, { labels: { a: '1' } }), podOf({}, { labels: { b: '1' } })],
    ['a map with and without keys', podOf({}, { labels: { a: '1' } }), podOf({}, { labels: {} })],
    ['an element more', podOf({ containers: variables('A') }), podOf({ containers: variables('A', 'B') })],
    ['another element', podOf({ containers: variables('A', 'B') }), podOf({ containers: variables('A', 'C') })],
    [
      'elements in another order',
      podOf({ containers: variables('A', 'B') }),
      podOf({ containers: variables('B', 'A') }),
    ],
    ['the same element twice', podOf({ containers: variables('A', 'A') }), podOf({ containers: variables('A', 'B') })],
    ['another element of a set', podOf({}, { finalizers: ['a/b'] }), podOf({}, { finalizers: ['a/c'] })],
    ['what is there anyway', podOf({ containers: null }), podOf({ containers: variables('A') })],
    [
      'another key of several',
      podOf({ containers: [{ name: 'c', ports: [{ containerPort: 1, protocol: 'TCP' }] }] }),
      podOf({ containers: [{ name: 'c', ports: [{ containerPort: 1, protocol: 'UDP' }] }] }),
    ],
    [
      'a key that is there by default',
      podOf({ containers: [{ name: 'c', ports: [{ containerPort: 1, protocol: 'UDP' }] }] }),
      podOf({ containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] }),
    ],
  ])('%s', (_, one, other) => {
    expect(compareBoth(pod, empty, one, other)).toBe(false);
  });
});

test('a field that is there anyway, changed and unchanged', () => {
  const schema: Schema = { type: 'object', properties: new Map([['count', { type: 'integer', always: true }]]) };
  expect(compareBoth(schema, { count: 0 }, { count: 1 }, { count: 2 })).toBe(true);
  expect(compareBoth(schema, { count: 0 }, { count: 1 }, { count: 0 })).toBe(false);
  expect(compareBoth(schema, { count: 0 }, { count: 0 }, { count: 0 })).toBe(true);
});

test('what no schema describes has the structure that its value has', () => {
  const schema: Schema = { type: 'object', preserveUnknownFields: true };
  expect(compareBoth(schema, {}, { a: { b: 1 } }, { a: { b: [] } })).toBe(true);
  for (const other of [{ a: 1 }, { a: {} }, { a: [] }, { a: null }, { a: { c: 1 } }, { a: { b: { c: 1 } } }]) {
    expect(compareBoth(schema, {}, { a: { b: 1 } }, other)).toBe(false);
    expect(compareBoth(schema, {}, other, { a: { b: 1 } })).toBe(false);
  }
});

test('only so many shapes are known at a time, those wanted last', () => {
  const known = new KnownComparisons(pod, empty);
  const numbered = (i: number) => compare(known, podOf({}, { labels: { [`l${i}`]: '' } }));
  const first = numbered(0);
  for (let i = 1; i < 8; i++) {
    numbered(i);
    expect(numbered(0)).toBe(first);
  }
  const second = numbered(1);
  for (let i = 2; i < 9; i++) numbered(i);
  expect(numbered(1)).toBe(second);
  expect(numbered(0)).not.toBe(first);
});

test('large objects are compared each time', () => {
  const labels = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`l${i}`, '']));
  expect(compareBoth(pod, empty, podOf({}, { labels }), podOf({}, { labels }), 1)).toBe(false);
  const known = new KnownComparisons(pod, empty);
  const [first, second] = [compare(known, podOf({}), true), compare(known, podOf({}), true)];
  expect(second).toEqual(first);
  expect(second).not.toBe(first);
});
