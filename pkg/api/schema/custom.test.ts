import { describe, expect, test } from 'vitest';
import type { JSONSchemaProps } from '../generated/types.ts';
import { decodeObject } from './codec.ts';
import { schemaFromOpenAPI } from './crd.ts';
import { defaultObject } from './default.ts';
import { validateListTypes } from './list-types.ts';
import { validateSchema } from './validate.ts';

const ofSpec = (properties: Record<string, JSONSchemaProps>, more: JSONSchemaProps = {}) =>
  schemaFromOpenAPI({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } });

test('pruning reports what it drops and keeps what is preserved', async () => {
  const schema = await ofSpec({
    keep: { type: 'string' },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'object' } } },
    list: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } } } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    tmpl: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
  });
  const text = JSON.stringify({
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: {
      odd: 1,
      ownerReferences: Array.from({ length: 11 }, (_, i) =>
        i === 2 || i === 10 ? { name: 'o', odd: 1 } : { name: 'o' },
      ),
      name: 'a',
      a: 1,
    },
    extra: 1,
    spec: {
      keep: 'x',
      drop: { deep: 1 },
      free: { any: 1, known: { gone: 1 } },
      list: [{ a: 1, b: 2 }],
      map: { k: 'v' },
      tmpl: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', odd: 1, a: 1 }, odd: 1 },
    },
  });
  const { object, findings } = decodeObject(schema, text, { mode: 'strict', custom: true });
  // As upstream walks: the metadata, what the schema does not know, embedded metadata; each in alphabetical order.
  expect(findings).toEqual(
    [
      'metadata.a',
      'metadata.odd',
      'metadata.ownerReferences[2].odd',
      'metadata.ownerReferences[10].odd',
      'extra',
      'spec.drop',
      'spec.free.known.gone',
      'spec.list[0].b',
      'spec.tmpl.odd',
      'spec.tmpl.metadata.a',
      'spec.tmpl.metadata.odd',
    ].map((path) => `unknown field "${path}"`),
  );
  expect(object['spec']).toEqual({
    keep: 'x',
    free: { any: 1, known: {} },
    list: [{ a: 1 }],
    map: { k: 'v' },
    tmpl: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } },
  });
});

test('duplicates are found in custom resources too', async () => {
  const schema = await ofSpec({ keep: { type: 'string' } });
  const text = '{"metadata":{"name":"a"},"spec":{"keep":"1","keep":"2"}}';
  expect(decodeObject(schema, text, { mode: 'warn', custom: true }).findings).toEqual(['duplicate field "spec.keep"']);
});

test('duplicates are told before what the schema does not know', async () => {
  const schema = await ofSpec({ keep: { type: 'string' } });
  const text = '{"metadata":{"name":"a","odd":1},"odd":1,"odd":2,"spec":{"keep":"1","keep":"2"}}';
  expect(decodeObject(schema, text, { mode: 'warn', custom: true }).findings).toEqual([
    'duplicate field "odd"',
    'duplicate field "spec.keep"',
    'unknown field "metadata.odd"',
    'unknown field "odd"',
  ]);
});

test('numbers that no float holds are refused', async () => {
  const schema = await ofSpec({ n: { type: 'number' } });
  const decode = (text: string) => decodeObject(schema, text, { mode: 'ignore', custom: true });
  expect(decode('{"spec":{"n":1e308}}').object).toEqual({ spec: { n: 1e308 } });
  expect(() => decode('{"a\\"1e999":1,"spec":{"n":-1e400}}')).toThrow(
    'json: cannot unmarshal number -1e400 into Go value of type float64',
  );
});

test('resources in a resource have apiVersion, kind and metadata of the right types', async () => {
  const schema = await ofSpec({ e: { type: 'object', 'x-kubernetes-embedded-resource': true } });
  const decode = (e: object, keepsNulls = false) =>
    decodeObject(schema, { spec: { e } }, { mode: 'ignore', custom: true, keepsNulls }).object['spec'];
  expect(decode({ apiVersion: 'v1', kind: 'X', metadata: null })).toEqual({
    e: { apiVersion: 'v1', kind: 'X', metadata: {} },
  });
  expect(() => decode({ apiVersion: 'v1', kind: 1 })).toThrow('spec.e.kind: Invalid value: 1: must be a string');
  expect(() => decode({ apiVersion: null })).toThrow('spec.e.apiVersion: Invalid value: null: must be a string');
  expect(() => decode({ metadata: 1 })).toThrow(/^spec\.e\.metadata: Invalid value: 1: json: cannot unmarshal number/);
  // What was merged for an apply is validated.
  expect(decode({ apiVersion: null, kind: 1 }, true)).toEqual({ e: { apiVersion: null, kind: 1 } });
});

test('nulls that are not allowed are dropped unless they are to be kept', async () => {
  const text: JSONSchemaProps = { type: 'string' };
  const schema = await ofSpec({
    plain: text,
    nullable: { type: 'string', nullable: true },
    defaulted: { type: 'string', default: 'x' },
    map: { type: 'object', additionalProperties: text },
    any: { type: 'object', additionalProperties: true as never },
    list: { type: 'array', items: { type: 'object', properties: { a: text } } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  });
  const spec = {
    plain: null,
    nullable: null,
    defaulted: null,
    map: { a: null, b: 'b' },
    any: { a: null },
    list: [null, { a: null }],
    free: { a: null },
  };
  const decode = (keepsNulls: boolean): unknown =>
    decodeObject(schema, { spec: structuredClone(spec) }, { mode: 'ignore', custom: true, keepsNulls }).object['spec'];
  expect(decode(true)).toEqual(spec);
  const { plain: _, ...kept } = spec;
  expect(decode(false)).toEqual({ ...kept, map: { b: 'b' }, list: [null, {}] });
});

test('defaults fill what is absent or null', async () => {
  const schema = await ofSpec({
    n: { type: 'integer', default: 1 },
    nullable: { type: 'string', nullable: true, default: 'x' },
    plain: { type: 'string' },
    o: { type: 'object', default: {}, properties: { deep: { type: 'string', default: 'd' } } },
    l: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer', default: 7 } } } },
  });
  const object = { spec: { n: null, nullable: null, plain: null, l: [{}] } };
  defaultObject(schema, object);
  expect(object).toEqual({ spec: { n: 1, nullable: null, plain: null, o: { deep: 'd' }, l: [{ a: 7 }] } });
});

describe('validation', () => {
  const type = (of: string): JSONSchemaProps => ({ type: of });
  test.each<[JSONSchemaProps, unknown, string[]]>([
    [
      type('string'),
      1,
      ['FieldValueTypeInvalid Invalid value: "integer": spec.v in body must be of type string: "integer"'],
    ],
    [
      type('integer'),
      1.5,
      ['FieldValueTypeInvalid Invalid value: "number": spec.v in body must be of type integer: "number"'],
    ],
    [
      { type: 'integer', format: 'int32' },
      3_000_000_000,
      ['FieldValueInvalid Invalid value: "": Checked value must be of type integer with format int32 in spec.v'],
    ],
    // What is beyond 2^53 and no integer as it was written is a float.
    [
      type('integer'),
      1e16,
      ['FieldValueTypeInvalid Invalid value: "number": spec.v in body must be of type integer: "number"'],
    ],
    [
      { type: 'integer', format: 'int64' },
      -(2 ** 63),
      [
        'FieldValueTypeInvalid Invalid value: "float64": spec.v in body must be of type int64: "float64"',
        'FieldValueInvalid Invalid value: "": Checked value must be of type integer with format int64 in spec.v',
      ],
    ],
    [
      { 'x-kubernetes-int-or-string': true },
      1e16,
      ['FieldValueTypeInvalid Invalid value: "number": spec.v in body must be of type integer,string: "number"'],
    ],
    [{ type: 'number' }, 1e16, []],
    [
      { type: 'integer', format: 'int32' },
      true,
      ['FieldValueTypeInvalid Invalid value: "": spec.v in body must be of type int32: ""'],
    ],
    [{ type: 'integer', format: 'uint32' }, 3_000_000_000, []],
    [
      { type: 'number', format: 'float' },
      1e300,
      ['FieldValueInvalid Invalid value: "": Checked value must be of type number with format float in spec.v'],
    ],
    [
      type('object'),
      [],
      ['FieldValueTypeInvalid Invalid value: "array": spec.v in body must be of type object: "array"'],
    ],
    [
      { type: 'integer', minimum: 1 },
      0,
      ['FieldValueInvalid Invalid value: 0: spec.v in body should be greater than or equal to 1'],
    ],
    [
      { type: 'integer', maximum: 5, exclusiveMaximum: true },
      5,
      ['FieldValueInvalid Invalid value: 5: spec.v in body should be less than 5'],
    ],
    [{ type: 'number', multipleOf: 0.1 }, 0.3, []],
    [
      { type: 'integer', multipleOf: 3 },
      4,
      ['FieldValueInvalid Invalid value: 4: spec.v in body should be a multiple of 3'],
    ],
    [{ type: 'string', maxLength: 1 }, '😀', []],
    [{ type: 'string', maxLength: 1 }, 'ab', ['FieldValueTooLong Too long: may not be more than 1 byte']],
    [
      { type: 'string', pattern: '^a+$' },
      'b',
      ['FieldValueInvalid Invalid value: "b": spec.v in body should match \'^a+$\''],
    ],
    [
      { type: 'string', pattern: '^a+$', minLength: 2 },
      'b',
      ['FieldValueInvalid Invalid value: "b": spec.v in body should be at least 2 chars long'],
    ],
    [
      { type: 'string', enum: ['x'] },
      1,
      [
        'FieldValueTypeInvalid Invalid value: "integer": spec.v in body must be of type string: "integer"',
        'FieldValueNotSupported Unsupported value: 1: supported values: "x"',
      ],
    ],
    [
      { type: 'string', enum: ['x', 'y'] },
      'z',
      ['FieldValueNotSupported Unsupported value: "z": supported values: "x", "y"'],
    ],
    [
      { type: 'array', maxItems: 1, items: type('integer') },
      [1, 2],
      ['FieldValueTooMany Too many: 2: must have at most 1 item'],
    ],
    [
      { type: 'object', additionalProperties: type('integer'), minProperties: 1 },
      {},
      ['FieldValueInvalid Invalid value: 0: spec.v in body should have at least 1 properties'],
    ],
    [{ type: 'object', required: ['k'], properties: { k: type('string') } }, {}, ['FieldValueRequired Required value']],
    [
      { type: 'string', format: 'ipv4' },
      'x',
      ['FieldValueTypeInvalid Invalid value: "x": spec.v in body must be of type ipv4: "x"'],
    ],
    [{ type: 'string', format: 'no-such-format' }, 'x', []],
    [
      { 'x-kubernetes-int-or-string': true },
      true,
      ['FieldValueTypeInvalid Invalid value: "boolean": spec.v in body must be of type integer,string: "boolean"'],
    ],
    [
      { type: 'array', 'x-kubernetes-list-type': 'set', items: type('string') },
      ['a', 'a'],
      ['FieldValueDuplicate Duplicate value: "a"'],
    ],
    [
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', properties: { k: type('string') } },
      },
      [{ k: 'a' }, { k: 'b' }, { k: 'a' }],
      ['FieldValueDuplicate Duplicate value: {"k":"a"}'],
    ],
    [
      { type: 'integer', oneOf: [{ minimum: 5 }, { maximum: 9 }] },
      7,
      [
        'FieldValueInvalid Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      { type: 'object', properties: {}, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      {},
      [
        'FieldValueInvalid Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found none valid',
        'FieldValueRequired Required value',
      ],
    ],
    [
      { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 1 }] },
      3,
      [
        'FieldValueInvalid Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
        'FieldValueInvalid Invalid value: 3: spec.v in body should be greater than or equal to 5',
      ],
    ],
    [
      { type: 'integer', allOf: [{ minimum: 5 }] },
      3,
      [
        'FieldValueInvalid Invalid value: 3: spec.v in body should be greater than or equal to 5',
        'FieldValueInvalid Invalid value: "": "spec.v" must validate all the schemas (allOf). None validated',
      ],
    ],
    [
      { type: 'integer', not: { minimum: 5 } },
      7,
      ['FieldValueInvalid Invalid value: "": "spec.v" must not validate the schema (not)'],
    ],
    [{ type: 'string', nullable: true }, null, []],
    [
      { type: 'string', nullable: true, enum: ['a'] as never },
      null,
      ['FieldValueNotSupported Unsupported value: null: supported values: "a"'],
    ],
  ])('%j with %j', async (props, value, expected) => {
    const schema = await ofSpec({ v: props });
    const errors = [
      ...validateSchema(schema, { spec: { v: value } }),
      ...validateListTypes(schema, { spec: { v: value } }),
    ];
    expect(errors.map((error) => `${error.type} ${error.message}`)).toEqual(expected);
  });

  test('integers beyond 2^53 are as good as others', async () => {
    const schema = await ofSpec({ v: { type: 'integer', format: 'int64' } });
    for (const v of [2n ** 53n, -(2n ** 63n)]) expect(validateSchema(schema, { spec: { v } })).toEqual([]);
  });

  test('patterns take linear time and must compile', async () => {
    const schema = await ofSpec({ v: { type: 'string', pattern: '^(a+)+$' } });
    expect(validateSchema(schema, { spec: { v: `${'a'.repeat(5000)}!` } })).toHaveLength(1);
    await expect(ofSpec({ v: { type: 'string', pattern: '(?<=a)b' } })).rejects.toThrow();
  });
});
