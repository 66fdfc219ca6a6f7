import { expect, test } from 'vitest';
import { HeaderFields } from './header-fields.ts';

test.each<[string, readonly string[], boolean]>([
  ['pseudo-headers and others', [':path', '/', 'a', 'b\xe9', 'c', ''], true],
  ['an empty name', ['', 'b'], false],
  ['a space in a name', ['a b', 'c'], false],
  ['a line end', ['a', 'b\r\nc: d'], false],
  ['a letter whose half is a line end', ['a', 'b\u010ac: d'], false],
  ['a NUL', ['a', '\0'], false],
])('what HTTP/1 can carry: %s', (_, raw, isFine) => {
  expect(HeaderFields.checked(raw) !== undefined).toBe(isFine);
});

test('a field by its name', () => {
  const fields = HeaderFields.of(['A', '1', 'b', '2', 'a', '3', 'Cookie', 'x', 'cookie', 'y']);
  expect([fields.get('a'), fields.get('b'), fields.get('cookie'), fields.get('c')]).toEqual([
    '1, 3',
    '2',
    'x; y',
    undefined,
  ]);
});
