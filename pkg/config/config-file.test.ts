import { describe, expect, test } from 'vitest';
import { type ConfigNode, parseConfigFile, readConfigFile } from './config-file.ts';

const parse = (text: string): Promise<ConfigNode> =>
  parseConfigFile('f.yaml', `apiVersion: a/v1\nkind: K\n${text}`, ['a/v1', 'a/v1beta1'], 'K');

test('values of a file', async () => {
  const root = await parse('name: x\nflag: true\ncount: 3\nlist: [{level: None}, {level: Metadata}]\nempty:\n');
  root.onlyFields(['name', 'flag', 'count', 'list', 'empty']);
  expect(root.field('name').requiredString()).toBe('x');
  expect(root.field('flag').boolean()).toBe(true);
  expect(root.field('count').integer()).toBe(3);
  expect(root.field('absent').integer()).toBeUndefined();
  expect(root.field('empty').items()).toEqual([]);
  const levels = root.field('list').items();
  expect(levels.map((item) => item.field('level').oneOf(['None', 'Metadata']))).toEqual(['None', 'Metadata']);
});

describe('refusals name file, line and field', () => {
  test.each<[string, string, (root: ConfigNode) => unknown, string]>([
    [
      'unknown field',
      'rules:\n- levle: x',
      (root) => root.field('rules').items()[0]?.onlyFields(['level']),
      'f.yaml:4: rules[0].levle: unknown field; did you mean "level"?',
    ],
    ['not a list', 'rules: x', (root) => root.field('rules').items(), 'f.yaml:3: rules: must be a list'],
    [
      'not a mapping',
      'rules: x',
      (root) => root.field('rules').field('a'),
      'f.yaml:3: rules: must be a mapping of fields to values',
    ],
    [
      'absent',
      'rules:\n- a: b',
      (root) => root.field('rules').items()[0]?.field('level').requiredString(),
      'f.yaml:4: rules[0].level: is required',
    ],
    [
      'not in the list',
      'level: x',
      (root) => root.field('level').oneOf(['a', 'b']),
      'f.yaml:3: level: "x" is not one of "a", "b"',
    ],
    ['no text', 'level: 1', (root) => root.field('level').string(), 'f.yaml:3: level: must be a text'],
    ['no number', 'count: x', (root) => root.field('count').integer(), 'f.yaml:3: count: must be a whole number'],
  ])('%s', async (_, text, read, message) => {
    const root = await parse(text);
    expect(() => read(root)).toThrow(message);
  });

  test.each([
    ['apiVersion: b/v1\nkind: K', 'f.yaml:1: apiVersion: "b/v1" is not one of "a/v1", "a/v1beta1"'],
    ['apiVersion: a/v1\nkind: L', 'f.yaml:2: kind: "L" is not "K"'],
    ['', 'f.yaml:1: apiVersion: is required'],
    ['a: [', 'f.yaml:1:5: '],
  ])('%j', async (text, message) => {
    await expect(parseConfigFile('f.yaml', text, ['a/v1', 'a/v1beta1'], 'K')).rejects.toThrow(message);
  });

  test('a file that is not there', async () => {
    await expect(readConfigFile('/nonexistent/f.yaml', ['a/v1'], 'K')).rejects.toThrow(
      'cannot read /nonexistent/f.yaml',
    );
  });
});
