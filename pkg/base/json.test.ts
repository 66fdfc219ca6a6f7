import { expect, test } from 'vitest';
import { cloneJSON, cloneSteps } from './json.ts';
import { atOnce } from './steps.ts';

const list = (length: number, item: (i: number) => unknown): unknown[] => Array.from({ length }, (_, i) => item(i));
const map = (size: number, value: (i: number) => unknown): object =>
  Object.fromEntries(list(size, (i) => [`k${i}`, value(i)]) as [string, unknown][]);

test.each<[string, unknown, number]>([
  ['a scalar', 'text', 0],
  ['a small object', { a: [1, null, { b: true }], c: {} }, 0],
  ['a large object', map(10_000, (i) => ({ i })), 9],
  ['a large list', list(10_000, (i) => [i, `${i}`]), 14],
  ['many objects', list(100, (i) => map(100, (k) => (k % 3 === 0 ? [{ i }] : k))), 6],
  ['what is deep', list(400, () => null).reduce((inner) => ({ inner, beside: list(10, (i) => i) }), {}), 2],
  ['members that are no plain ones', JSON.parse('{"__proto__":{"a":1},"constructor":[{"__proto__":2}]}'), 0],
])('%s is copied in steps as at once', (_, value, steps) => {
  const copying = cloneSteps(value);
  let count = 0;
  let next = copying.next();
  for (; !next.done; next = copying.next()) count++;
  expect(count).toBeGreaterThanOrEqual(steps);
  expect(JSON.stringify(next.value)).toBe(JSON.stringify(value));
  expect(next.value).toEqual(cloneJSON(value));
});

test('a copy shares nothing', () => {
  const value = { a: [{ b: map(5000, () => ({})) }] };
  const copy = atOnce(cloneSteps(value)) as typeof value;
  expect(copy.a[0]?.b).not.toBe(value.a[0]?.b);
  expect(Object.values(copy.a[0]?.b ?? {})[4999]).not.toBe(Object.values(value.a[0]?.b ?? {})[4999]);
});
