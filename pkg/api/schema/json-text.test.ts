import { describe, expect, test } from 'vitest';
import { mayHaveDuplicates, parseJSON, strictFindings } from './json-text.ts';

describe('errors are those of encoding/json', () => {
  test.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{"a":"b', 'unexpected end of JSON input'],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['<html>', "invalid character '<' looking for beginning of value"],
  ])('%j', (text, message) => {
    expect(() => parseJSON(text)).toThrow(message);
  });
});

test.each([
  ['"\\ud83d\\ude00"', '😀'],
  ['"a\\ud800b"', 'a\ufffdb'],
  ['"\\uDC00\\ud800"', '\ufffd\ufffd'],
  ['"\\uD83D\\u0041\\n"', '\ufffdA\n'],
  ['"\\\\ud800"', '\\ud800'],
  ['{"\\ud800":1}', { '\ufffd': 1 }],
])('halves of surrogate pairs are no characters: %j', (text, value) => {
  expect(parseJSON(text)).toEqual(value);
});

test.each([
  ['{"a":1,"b":{"c":[{"d":1}]}}', 4, false],
  ['{"a":1,"a":2}', 1, true],
  ['{"text":"{\\"x\\":1,\\"x\\":2}"}', 1, false],
  ['{"a\\\\":1,"b":1}', 2, false],
  ['{"a\\\\":1,"b":1,"b":2}', 2, true],
])('cheap check of %s', (text, members, expected) => {
  expect(mayHaveDuplicates(text, members)).toBe(expected);
});

test('a blank before the colon is looked at closely', () => {
  expect(mayHaveDuplicates('{"a" :1,"a":2}', 1)).toBe(true);
});

test('findings come in the order of the text, each once', () => {
  const text = '{"x":1,"spec":{"a":[{"k":1,"k":2},{"k":1}],"y":{}},"x":2,"spec":{"y":1},"q\\u0022":1,"q\\"":2}';
  expect(strictFindings(text, new Set(['spec.y']))).toEqual([
    { path: 'spec.a[0].k', duplicate: true },
    { path: 'spec.y', duplicate: false },
    { path: 'x', duplicate: true },
    { path: 'spec', duplicate: true },
    { path: 'q"', duplicate: true },
  ]);
});

test('keys below what is ever decoded are not reported', () => {
  const deep = (depth: number): string => `${'{"a":'.repeat(depth)}{"k":1,"k":2}${'}'.repeat(depth)}`;
  expect(strictFindings(deep(10), new Set())).toHaveLength(1);
  expect(strictFindings(deep(600), new Set())).toEqual([]);
});

test('long text is refused by its depth before it is parsed', () => {
  const filler = `"${'x'.repeat(70_000)}\\"[["`;
  const nested = (depth: number): string => `[${filler},${'['.repeat(depth)}${']'.repeat(depth)}]`;
  expect(parseJSON(nested(9_999))).toHaveLength(2);
  expect(() => parseJSON(nested(10_000))).toThrow('exceeded max depth');
  expect(() => parseJSON(`{"a":${'['.repeat(1_400_000)}`)).toThrow('exceeded max depth');
  expect(() => parseJSON(`${filler.slice(0, -1)}`)).toThrow('unexpected end of JSON input');
});
