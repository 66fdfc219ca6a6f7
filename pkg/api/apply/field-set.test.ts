import { describe, expect, test } from 'vitest';
import {
  difference,
  emptySet,
  type FieldSet,
  FieldSetBuilder,
  hasPath,
  intersection,
  pathsOf,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';

const set = (...paths: string[]): FieldSet => setOf(...paths.map((path) => path.split('/')));
const members = (fields: FieldSet): string[] =>
  pathsOf(fields)
    .map((path) => path.join('/'))
    .sort();

test('is FieldsV1: a member with members below it has the key "."', () => {
  expect(set('f:a', 'f:b/f:c')).toEqual({ 'f:a': {}, 'f:b': { 'f:c': {} } });
  expect(set('f:b', 'f:b/f:c')).toEqual({ 'f:b': { '.': {}, 'f:c': {} } });
  expect(set('f:b/f:c', 'f:b')).toEqual({ 'f:b': { '.': {}, 'f:c': {} } });
  expect(difference(set('f:b', 'f:b/f:c'), set('f:b/f:c'))).toEqual({ 'f:b': {} });
  expect(new FieldSetBuilder().build()).toBe(emptySet);
});

describe('operations agree with sets of paths', () => {
  const universe = ['f:a', 'f:a/f:x', 'f:a/f:x/f:y', 'f:a/k:{"n":1}', 'f:b', 'f:b/f:z'];
  const subsets = Array.from({ length: 2 ** universe.length }, (_, bits) =>
    universe.filter((_path, i) => (bits >> i) & 1),
  );

  test('over all pairs of subsets', () => {
    for (const left of subsets) {
      for (const right of subsets) {
        const [a, b] = [set(...left), set(...right)];
        const before = JSON.stringify([a, b]);
        expect(members(difference(a, b))).toEqual(left.filter((path) => !right.includes(path)).sort());
        expect(members(intersection(a, b))).toEqual(left.filter((path) => right.includes(path)).sort());
        expect(members(union(a, b))).toEqual([...new Set([...left, ...right])].sort());
        expect(members(recursiveDifference(a, b))).toEqual(
          left.filter((path) => !right.some((above) => `${path}/`.startsWith(`${above}/`))).sort(),
        );
        expect(JSON.stringify([a, b])).toBe(before);
      }
    }
  });
});

test('what does not change stays the same object', () => {
  const a = set('f:a/f:x', 'f:b');
  expect(difference(a, set('f:c'))).toBe(a);
  expect(difference(a, set('f:b'))['f:a']).toBe(a['f:a']);
  expect(union(a, set('f:a/f:x'))).toBe(a);
  expect(union(a, set('f:c'))['f:a']).toBe(a['f:a']);
});

test('hasPath', () => {
  expect(hasPath(set('f:a/f:x'), ['f:a', 'f:x'])).toBe(true);
  expect(hasPath(set('f:a/f:x'), ['f:a'])).toBe(false);
});

test('sets are written as upstream writes them: the node itself, fields, keys, values; by name', () => {
  const set = setOf(
    ['f:spec', 'f:b'],
    ['f:spec', 'f:a', 'k:{"name":"z"}', 'f:x'],
    ['f:spec', 'f:a', 'k:{"name":"z"}'],
    ['f:a'],
  );
  const text = '{"f:a":{},"f:spec":{"f:a":{"k:{\\"name\\":\\"z\\"}":{".":{},"f:x":{}}},"f:b":{}}}';
  expect(JSON.stringify(set)).toBe(text);
  expect(
    JSON.stringify(union(setOf(['f:z'], ['f:b', 'v:"y"']), setOf(['f:a'], ['f:b', 'v:"x"'], ['f:b', 'f:c']))),
  ).toBe('{"f:a":{},"f:b":{"f:c":{},"v:\\"x\\"":{},"v:\\"y\\"":{}},"f:z":{}}');
  expect(JSON.stringify(union(setOf(['f:b', 'f:c']), setOf(['f:b'])))).toBe('{"f:b":{".":{},"f:c":{}}}');
});
