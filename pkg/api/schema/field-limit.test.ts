import { expect, test } from 'vitest';
import { limitFields } from './field-limit.ts';
import { parseJSON } from './json-text.ts';
import { parseYAML } from './yaml.ts';

const map = (size: number): object => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, '']));
const list = (size: number): unknown[] => Array.from({ length: size }, () => 0);

test.each<[string, unknown, boolean]>([
  ['few fields', { a: 1, b: [{ c: null }] }, false],
  ['as many as may be', { data: map(99_999) }, false],
  ['one more', { data: map(100_000) }, true],
  ['many in many places', { a: map(40_000), b: { c: [map(40_000), map(40_000)] } }, true],
  ['a list as long as may be', { a: list(99_999) }, false],
  ['a longer list', { a: list(100_000) }, true],
  ['as many empty objects as may be', { a: Array.from({ length: 99_999 }, () => ({})) }, false],
  ['one more of them', { a: Array.from({ length: 100_000 }, () => ({})) }, true],
  ['strings with what counts outside of them', { a: '{"b":[1,2,'.repeat(60_000) }, false],
])('%s', async (_, value, refused) => {
  const refusal = 'Request entity too large: limit is 100000 fields';
  for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 1)]) {
    if (refused) {
      expect(() => parseJSON(text)).toThrow(refusal);
      await expect(parseYAML(text)).rejects.toThrow(refusal);
    } else {
      expect(parseJSON(text)).toEqual(value);
      expect((await parseYAML(text)).duplicates).toEqual([]);
    }
  }
  if (refused) expect(() => limitFields(value)).toThrow(refusal);
  else expect(() => limitFields(value)).not.toThrow();
});

test.each([['text'], [undefined], [null]])('%j has no fields', (value) => {
  expect(() => limitFields(value)).not.toThrow();
});

test('what is ignored does not count', () => {
  const value = { a: list(60_000), b: { c: list(60_000) } };
  expect(() => limitFields(value)).toThrow('Request entity too large');
  expect(() => limitFields(value, value.b.c)).not.toThrow();
});

test('YAML is refused by what its aliases stand for', async () => {
  const text = `a: &a [${'x,'.repeat(4000)}x]\nb: [${'*a,'.repeat(30)}*a]\n`;
  await expect(parseYAML(text)).rejects.toThrow('Request entity too large: limit is 100000 fields');
});

test('long text is refused by its members, whether or not they are the same, before it is parsed', () => {
  const text = `{${'"k":"v",'.repeat(100_000)}`;
  expect(() => parseJSON(text)).toThrow('Request entity too large: limit is 100000 fields');
});
