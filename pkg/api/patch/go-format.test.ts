import { expect, test } from 'vitest';
import { goFormat, goSyntax, goText, goTypeName } from './go-format.ts';

const value = { b: [1, 'x', null], a: { t: true, f: 1.5 } };

test('values as Go prints them', () => {
  expect(goFormat(value)).toBe('map[a:map[f:1.5 t:true] b:[1 x <nil>]]');
  expect(goSyntax(value)).toBe(
    'map[string]interface {}{"a":map[string]interface {}{"f":1.5, "t":true}, "b":[]interface {}{1, "x", interface {}(nil)}}',
  );
  expect(goText(value)).toBe('map[a:map[f:%!s(float64=1.5) t:%!s(bool=true)] b:[%!s(int64=1) x %!s(<nil>)]]');
});

test.each([
  ['x', 'string'],
  [true, 'bool'],
  [1, 'int64'],
  [2n ** 60n, 'int64'],
  [1.5, 'float64'],
  [1e20, 'float64'],
  [[], '[]interface {}'],
  [{}, 'map[string]interface {}'],
  [null, '<nil>'],
])('the type of %o is %s', (one, name) => {
  expect(goTypeName(one)).toBe(name);
});
