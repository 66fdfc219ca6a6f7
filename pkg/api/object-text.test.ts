import { expect, test } from 'vitest';
import { yamlSteps, yamlText } from './object-text.ts';

const many = (count: number, value: (i: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, value(i)]));

test.each<[string, unknown, number]>([
  ['a scalar', 'text', 0],
  ['a small object', { b: 1, a: [{ c: 'x\ny' }] }, 0],
  ['a long map', { kind: 'ConfigMap', data: many(5000, (i) => `line\n\n  ${i}\n`), apiVersion: 'v1' }, 8],
  ['a long list', { spec: { list: Array.from({ length: 2000 }, (_, i) => ({ n: i, empty: {} })), other: [] } }, 8],
  ['lists in a long list', { a: Array.from({ length: 1000 }, () => [[1, 2], 'x']) }, 4],
  ['long maps in a map', { a: many(10, () => many(600, (i) => (i % 2 === 0 ? null : { b: i }))) }, 10],
  ['a long map in a list', { a: [1, { b: many(1000, (i) => ({ c: i })), a: 0 }, many(1000, () => 'x'), { d: 2 }] }, 4],
  ['a long list in a list', { a: { b: [[Array.from({ length: 1000 }, (_, i) => i), 'x'], 'y'] } }, 1],
  ['a list at the root', Array.from({ length: 1000 }, (_, i) => i), 1],
  ['names that are no plain text', { 'a: b': many(600, () => ''), '': many(600, () => 'yes'), __proto__x: 1 }, 2],
  ['a name of several lines', { 'a\nb': many(600, () => 1), c: many(600, () => 2) }, 1],
  ['what YAML would take for something else', many(600, (i) => ['no', '1e3', '~', '2024-01-01', "'", '#x'][i % 6]), 1],
])('%s is written in steps as at once', (_, value, steps) => {
  const writing = yamlSteps(value);
  let count = 0;
  let next = writing.next();
  for (; !next.done; next = writing.next()) count++;
  expect(next.value).toBe(yamlText(value));
  expect(count).toBeGreaterThanOrEqual(steps);
});
