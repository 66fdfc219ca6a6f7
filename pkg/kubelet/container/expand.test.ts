import { expect, test } from 'vitest';
import { expand } from './expand.ts';

const values = new Map([
  ['A', '1'],
  ['B', '$(A)'],
  ['EMPTY', ''],
]);

test.each([
  ['$(A)', '1'],
  ['x$(A)y$(EMPTY)z', 'x1yz'],
  ['$(B)', '$(A)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$1'],
  ['$(NOPE)', '$(NOPE)'],
  ['$(A', '$(A'],
  ['$A $', '$A $'],
])('%s', (text, expected) => {
  expect(expand(text, values)).toBe(expected);
});

test('tells of unknown names', () => {
  const unknown: string[] = [];
  expand('$(A)$(X)', values, (name) => unknown.push(name));
  expect(unknown).toEqual(['X']);
});
