import { expect, test } from 'vitest';
import { parseYAML } from './yaml.ts';

test.each([
  ['a: yes\nb: off\nc: "yes"', { a: true, b: false, c: 'yes' }],
  ['mode: 0644\nhex: 0x1f', { mode: 420, hex: 31 }],
  ['time: 12:30\ndate: 2001-01-01', { time: '12:30', date: '2001-01-01' }],
  ['1: a\ntrue: b', { 1: 'a', true: 'b' }],
  ['base: &b {q: 1}\nc:\n  <<: *b\n  z: 2', { base: { q: 1 }, c: { q: 1, z: 2 } }],
  ['a: ~\nb:', { a: null, b: null }],
  ['a: 1\n---\nb: 2', { a: 1 }],
])('%s', async (text, value) => {
  expect((await parseYAML(text)).value).toEqual(value);
});

test('duplicates are found and the last wins', async () => {
  expect(await parseYAML('a: 1\nb:\n  c: 1\n  c: 2\n')).toEqual({
    value: { a: 1, b: { c: 2 } },
    duplicates: ['line 4: key "c" already set in map'],
  });
});

test('an alias bomb is refused', async () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  await expect(parseYAML(lines.join('\n'))).rejects.toThrow('excessive aliasing');
});

test.each([
  [
    'a: 3546343826724305833\nb: [-9223372036854775808, 7, 1.5]\n8: 0o17',
    { a: 3546343826724305833n, b: [-(2n ** 63n), 7, 1.5], 8: '0o17' },
  ],
  ['{"a": 3546343826724305833, "b": 18446744073709551616}', { a: 3546343826724305833n, b: 2 ** 64 }],
])('integers of 64 bits are exact: %s', async (text, value) => {
  expect((await parseYAML(text)).value).toEqual(value);
});

test('JSON is read as JSON, unless a key occurs twice', async () => {
  expect(await parseYAML(' {"a": "yes", "b": 0.5}')).toEqual({ value: { a: 'yes', b: 0.5 }, duplicates: [] });
  expect((await parseYAML('{"a": 1,\n "a": 2}')).duplicates).toEqual(['line 2: key "a" already set in map']);
});

test.each([
  ['{"a": "\\ud83d\\ude00"}', 'yaml: found invalid Unicode character escape code'],
  ['{"a": 1,\n"b": "\\ud800"}', 'yaml: line 2: found invalid Unicode character escape code'],
  ['a: \'\\ud800\'\nb:\n- "\\ud800"', 'yaml: line 3: found invalid Unicode character escape code'],
])('halves of surrogate pairs are no characters: %j', async (text, message) => {
  await expect(parseYAML(text)).rejects.toThrow(message);
});

test('what only looks like half of a surrogate pair is text', async () => {
  const value = { a: '\\ud800', b: '\\ud800' };
  expect((await parseYAML('a: \'\\ud800\'\nb: "\\\\ud800"')).value).toEqual(value);
  expect((await parseYAML(JSON.stringify(value))).value).toEqual(value);
});

test.each(['[', '{"a":', '- '])('nesting %j without end is refused', async (open) => {
  await expect(parseYAML(open.repeat(20_000))).rejects.toThrow('exceeded max depth');
});

test.each(['? '.repeat(400), '{[a]: 1}', '&k [a]: 1', 'b: &k [a]\n*k : 1'])(
  'keys that are no scalars are refused: %.12s',
  async (text) => {
    await expect(parseYAML(text)).rejects.toThrow('invalid map key');
  },
);

test('a long text that opens like JSON is read as JSON only', async () => {
  await expect(parseYAML(`{"a": 1,${'"k": 1,'.repeat(20_000)}`)).rejects.toThrow('unexpected end of JSON input');
});
