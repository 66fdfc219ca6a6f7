import { describe, expect, test } from 'vitest';
import type { JSONSchemaProps } from '../generated/types.ts';
import { schemaFromOpenAPI } from './crd.ts';
import { readRulePath } from './rule-path.ts';
import { RuleCompiler } from './rules.ts';
import { validateRules } from './validate-rules.ts';

type Rule = NonNullable<JSONSchemaProps['x-kubernetes-validations']>[number];

async function errorsOf(
  properties: Record<string, JSONSchemaProps>,
  value: unknown,
  old?: unknown,
  warnings: string[] = [],
): Promise<string[]> {
  const schema = await schemaFromOpenAPI({ type: 'object', properties });
  const tree = (await RuleCompiler.load()).tree(schema);
  if (tree === undefined) throw new Error('no rules');
  return validateRules(tree, value, old, (text) => warnings.push(text)).map(
    ({ type, field, message }) => `${type} ${field} ${message}`,
  );
}

const withRules = (type: string, ...rules: Rule[]): JSONSchemaProps => ({ type, 'x-kubernetes-validations': rules });

test('rules are evaluated where values are', async () => {
  const properties: Record<string, JSONSchemaProps> = {
    list: { type: 'array', items: withRules('integer', { rule: 'self > 0' }) },
    map: { type: 'object', additionalProperties: withRules('integer', { rule: 'self > 0' }) },
    absent: withRules('integer', { rule: 'self > 0' }),
    none: { nullable: true, ...withRules('integer', { rule: 'self > 0' }) },
  };
  expect(await errorsOf(properties, { list: [1, 0], map: { a: 0, b: 1 }, none: null })).toEqual([
    'FieldValueInvalid list[1] Invalid value: 0: failed rule: self > 0',
    'FieldValueInvalid map[a] Invalid value: 0: failed rule: self > 0',
  ]);
});

describe('messages', () => {
  test.each<[Partial<Rule>, string]>([
    [{ message: ' too big ' }, 'FieldValueInvalid v Invalid value: too big'],
    [{ messageExpression: "'not ' + self.a", message: 'm' }, 'FieldValueInvalid v Invalid value: not x'],
    [{ messageExpression: "' '", message: 'm' }, 'FieldValueInvalid v Invalid value: m'],
    [{ messageExpression: 'self.b', message: 'm' }, 'FieldValueInvalid v Invalid value: m'],
    [{ reason: 'FieldValueRequired', message: 'm', fieldPath: '.a' }, 'FieldValueRequired v.a Required value: m'],
    [{ reason: 'FieldValueForbidden', message: 'm' }, 'FieldValueForbidden v Forbidden: m'],
  ])('%j', async (more, expected) => {
    const properties = { a: { type: 'string' }, b: { type: 'string' } };
    const v = { ...withRules('object', { rule: "self.a != 'x'", ...more }), properties };
    expect(await errorsOf({ v }, { v: { a: 'x' } })).toEqual([expected]);
  });
});

describe('old values', () => {
  const grows = { rule: 'self.n >= oldSelf.n', message: 'grows' };
  const item = (...rules: Rule[]): JSONSchemaProps => ({
    ...withRules('object', ...rules),
    properties: { k: { type: 'string' }, n: { type: 'integer' } },
  });
  const list = (type: string, rule: Rule): JSONSchemaProps => ({
    type: 'array',
    'x-kubernetes-list-type': type,
    'x-kubernetes-list-map-keys': ['k'],
    items: item(rule),
  });

  test('items of list maps are found by their keys', async () => {
    const before = {
      v: [
        { k: 'a', n: 1 },
        { k: 'b', n: 5 },
      ],
    };
    const after = {
      v: [
        { k: 'b', n: 4 },
        { k: 'a', n: 1 },
        { k: 'c', n: 0 },
      ],
    };
    expect(await errorsOf({ v: list('map', grows) }, after, before)).toEqual([
      'FieldValueInvalid v[0] Invalid value: grows',
    ]);
    expect(await errorsOf({ v: list('atomic', grows) }, after, before)).toEqual([]);
  });

  test('members of atomic maps have none', async () => {
    const v = (mapType: string): JSONSchemaProps => ({
      type: 'object',
      'x-kubernetes-map-type': mapType,
      properties: { n: withRules('integer', { rule: 'self >= oldSelf' }) },
    });
    expect(await errorsOf({ v: v('granular') }, { v: { n: 1 } }, { v: { n: 2 } })).toHaveLength(1);
    expect(await errorsOf({ v: v('atomic') }, { v: { n: 1 } }, { v: { n: 2 } })).toEqual([]);
  });

  test('what did not change may go on failing', async () => {
    const properties = { v: item({ rule: 'self.n > 3' }), other: { type: 'integer' } };
    expect(await errorsOf(properties, { v: { n: 1 }, other: 2 }, { v: { n: 1 }, other: 1 })).toEqual([]);
    expect(await errorsOf(properties, { v: { n: 1, k: 'x' } }, { v: { n: 1 } })).toHaveLength(1);
  });

  test('what is tolerated is told; the order of list maps does not matter', async () => {
    const v: JSONSchemaProps = {
      ...withRules('array', { rule: 'self.all(i, i.n > 3)' }),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: item({ rule: 'self.n > 2' }),
    };
    const [a, b] = [
      { k: 'a', n: 1 },
      { k: 'b', n: 9 },
    ];
    const warnings: string[] = [];
    expect(await errorsOf({ v }, { v: [b, a] }, { v: [a, b] }, warnings)).toEqual([]);
    expect(warnings).toEqual([
      'v: Invalid value: failed rule: self.all(i, i.n > 3)',
      'v[1]: Invalid value: failed rule: self.n > 2',
    ]);
    expect(await errorsOf({ v }, { v: [b, { k: 'c', n: 1 }] }, { v: [a, b] })).toHaveLength(2);
  });

  test('optional ones are seen on creation too', async () => {
    const rule = { rule: 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 0', optionalOldSelf: true };
    const v = withRules('integer', rule);
    expect(await errorsOf({ v }, { v: 1 })).toHaveLength(1);
    expect(await errorsOf({ v }, { v: 0 })).toEqual([]);
    expect(await errorsOf({ v }, { v: 2 }, { v: 1 })).toEqual([]);
  });
});

test('an expensive object ends the evaluation', async () => {
  const rule = { rule: 'self.all(a, self.all(b, a + b >= 0))' };
  const v = { ...withRules('array', rule), items: { type: 'integer' } };
  const many = Array.from({ length: 3000 }, (_, i) => i);
  const [error, more] = await errorsOf({ v, w: v }, { v: many, w: many });
  expect(error).toMatch(/cost limit exceeded.*no further validation rules will be run/);
  expect(more).toBeUndefined();
});

test.each([
  ['.a', 'a'],
  ['.a.b', 'a.b'],
  [".m['x.y']", 'm[x.y]'],
  ["['a']", 'a'],
  ['a', undefined],
  ['.c', undefined],
  ['.l[0]', undefined],
  ['', undefined],
])('the path %s', async (path, expected) => {
  const text = { type: 'string' };
  const schema = await schemaFromOpenAPI({
    type: 'object',
    properties: {
      a: { type: 'object', properties: { b: text } },
      m: { type: 'object', additionalProperties: text },
      l: { type: 'array', items: text },
    },
  });
  expect(readRulePath(schema, path)).toBe(expected);
});
