import { afterEach, describe, expect, test } from 'vitest';
import { isInteger, mayHoldWideIntegers, narrowInteger, parseExact, writeBigIntsAsNumbers } from './integers.ts';

const WIDE = 3546343826724305833n;

describe('reading', () => {
  test.each<[string, unknown]>([
    ['[9007199254740991,9007199254740992]', [9007199254740991, 2n ** 53n]],
    ['{"a":3546343826724305833,"b":[-9223372036854775808]}', { a: WIDE, b: [-(2n ** 63n)] }],
    ['{"a": 3546343826724305833}', { a: WIDE }],
    ['3546343826724305833', WIDE],
    ['[9223372036854775808,1e30,1234567890123456.5]', [2 ** 63, 1e30, 1234567890123456.5]],
    ['{"uid":"1234567890123456789","n":1}', { uid: '1234567890123456789', n: 1 }],
    [`{"text":"a, ${WIDE}, \\\\\\"b: ${WIDE},","n":[ -${WIDE} ]}`, { text: `a, ${WIDE}, \\"b: ${WIDE},`, n: [-WIDE] }],
    [`{"a":{"b":[[${WIDE}]]},"a":${WIDE}}`, { a: WIDE }],
  ])('%s', (text, value) => {
    expect(parseExact(text)).toEqual(value);
  });

  test('members named __proto__ are data', () => {
    expect(JSON.stringify(Object.keys(parseExact('{"__proto__":{"a":3546343826724305833}}') as object))).toBe(
      '["__proto__"]',
    );
  });

  test.each(['[3546343826724305833', '[03546343826724305833]', '[- 3546343826724305833]', '{"a"3546343826724305833}'])(
    '%s is no JSON',
    (text) => {
      expect(() => parseExact(text)).toThrow(SyntaxError);
    },
  );

  test('data nests deeper than the stack does', () => {
    const depth = 100_000;
    let value = parseExact(`${'['.repeat(depth)}${WIDE}${']'.repeat(depth)}`);
    for (let i = 0; i < depth; i++) [value] = value as unknown[];
    expect(value).toBe(WIDE);
  });

  test('texts without long numbers are told cheaply', () => {
    const text =
      '{"time":"2026-11-26T18:22:04.123456Z","uid":"9e91089d-a9c6-4cc5-ac41-386912345678","n":123456789012345}';
    expect(mayHoldWideIntegers(text)).toBe(false);
    expect(mayHoldWideIntegers('n: 1234567890123456')).toBe(true);
  });
});

test.each<[bigint, number | bigint]>([
  [5n, 5],
  [-(2n ** 53n), -(2n ** 53n)],
  [2n ** 64n, 2 ** 64],
])('%s in objects', (value, form) => {
  expect(narrowInteger(value)).toBe(form);
});

test('integers are told from other data', () => {
  expect([1, WIDE, 1.5, '1', null].map(isInteger)).toEqual([true, true, false, false, false]);
});

describe('writing', () => {
  afterEach(() => {
    Reflect.deleteProperty(BigInt.prototype, 'toJSON');
  });

  test('gives the digits', () => {
    writeBigIntsAsNumbers();
    const text = '{"a":3546343826724305833,"b":[-9223372036854775808]}';
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });
});
