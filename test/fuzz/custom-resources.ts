import { HOSTILE_KEYS, hostileKey, hostileValue } from './hostile.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { Members, members, Raw, type Value } from './value.ts';

export const CUSTOM_GROUP = 'fuzz.example';
const COUNT = 6;
const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

export function customPlural(random: Random): string {
  return `fz${random.int(COUNT)}s`;
}

/** A CustomResourceDefinition, most of the time one that could be accepted. */
export function customDefinition(plural: string, random: Random): Members {
  const kind = `Fz${plural.slice(2, -1)}`;
  const spec = schemaOf(random, 0);
  if (random.chance(0.5)) spec.set('x-kubernetes-validations', rules(random));
  const schema = members({ type: 'object' });
  schema.set(
    'properties',
    new Members([
      ['spec', spec],
      ['status', members({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })],
    ]),
  );
  const version = members({ name: 'v1', served: true, storage: true });
  version.set('schema', new Members([['openAPIV3Schema', schema]]));
  if (random.chance(0.5))
    version.set(
      'subresources',
      members(
        random.pick<Record<string, unknown>>([
          { status: {} },
          { status: {}, scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.a' } },
          { scale: { specReplicasPath: '.__proto__.x', statusReplicasPath: 'x' } },
        ]),
      ),
    );
  if (random.chance(0.3)) {
    const jsonPath = random.pick([
      '.spec.a',
      '.spec.__proto__',
      '.metadata.labels.constructor',
      '{.items[*]}',
      '.spec[?(@.a=="b")]',
      '..',
      '[',
    ]);
    version.set('additionalPrinterColumns', [
      members({ name: 'A', type: random.pick(['string', 'integer', 'date', 'x']), jsonPath }),
    ]);
    version.set('selectableFields', [members({ jsonPath: random.pick(['.spec.a', '.spec.constructor', 'x']) })]);
  }
  return members({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${CUSTOM_GROUP}` },
    spec: {
      group: CUSTOM_GROUP,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    },
  }).set(
    'spec',
    members({ group: CUSTOM_GROUP, scope: 'Namespaced', names: { plural, kind } }).set('versions', [version]),
  );
}

/** An object of it. */
export function customObject(plural: string, name: string, random: Random): Members {
  const spec = new Members();
  for (let i = 0; i < 1 + random.int(4); i++)
    spec.entries.push([
      key(random),
      random.chance(0.5) ? random.pick<Value>([1, 'x', true, [1], null]) : hostileValue(random),
    ]);
  return members({ apiVersion: `${CUSTOM_GROUP}/v1`, kind: `Fz${plural.slice(2, -1)}`, metadata: { name } }).set(
    'spec',
    random.chance(0.9) ? spec : hostileValue(random),
  );
}

function key(random: Random): string {
  return random.chance(0.8)
    ? random.pick(['a', 'b', 'c', 'list', 'map', ...HOSTILE_KEYS.slice(0, 4)])
    : hostileKey(random);
}

function schemaOf(random: Random, depth: number): Members {
  const type = depth === 0 ? 'object' : depth > 4 ? 'string' : random.pick(TYPES);
  const schema = members({ type });
  if (type === 'object') {
    if (random.chance(0.2)) schema.set('additionalProperties', schemaOf(random, depth + 1));
    else
      schema.set(
        'properties',
        new Members(
          Array.from({ length: 1 + random.int(4) }, (): [string, Value] => [key(random), schemaOf(random, depth + 1)]),
        ),
      );
    if (random.chance(0.3)) schema.set('required', [key(random)]);
    if (random.chance(0.1)) schema.set('x-kubernetes-embedded-resource', true);
    if (random.chance(0.2)) schema.set('x-kubernetes-preserve-unknown-fields', true);
  } else if (type === 'array') {
    schema.set('items', schemaOf(random, depth + 1));
    if (random.chance(0.4)) schema.set('x-kubernetes-list-type', random.pick(['map', 'set', 'atomic', 'x']));
    if (random.chance(0.3)) schema.set('x-kubernetes-list-map-keys', [key(random)]);
    if (random.chance(0.1)) schema.set('uniqueItems', true);
  } else if (type === 'string') {
    if (random.chance(0.4))
      schema.set(
        'pattern',
        random.pick([
          '^a+$',
          '(a+)+$',
          '^(a|a)*$',
          '[',
          '(?=a)',
          '\\p{L}',
          `${'(a?)'.repeat(60)}${'a'.repeat(60)}`,
          'x{1000}{1000}',
        ]),
      );
    if (random.chance(0.3))
      schema.set('format', random.pick(['date-time', 'ipv4', 'byte', 'uuid', 'x', 'constructor']));
    if (random.chance(0.2)) schema.set('enum', ['a', null, new Members()]);
  } else if (random.chance(0.4)) {
    schema.set(
      random.pick(['minimum', 'maximum', 'multipleOf', 'maxLength', 'minItems']),
      random.pick<Value>([0, -1, 0.1, new Raw('1e400'), new Raw('9223372036854775808')]),
    );
  }
  if (random.chance(0.15))
    schema.set('default', random.chance(0.5) ? random.pick<Value>([1, 'x', [], new Members()]) : hostileValue(random));
  if (random.chance(0.1)) schema.set('nullable', true);
  if (random.chance(0.1)) schema.set('x-kubernetes-int-or-string', true);
  if (random.chance(0.08))
    schema.set(random.pick(['anyOf', 'oneOf', 'allOf']), [schemaOf(random, depth + 2), schemaOf(random, depth + 3)]);
  if (random.chance(0.15)) schema.set('x-kubernetes-validations', rules(random));
  return random.chance(0.05)
    ? (mutate(schema, random) as Members) instanceof Members
      ? schema
      : members({ type: 'string' })
    : schema;
}

function rules(random: Random): Value {
  return Array.from({ length: 1 + random.int(2) }, () => {
    const rule = members({ rule: celExpression(random) });
    if (random.chance(0.3)) rule.set('message', 'no');
    if (random.chance(0.3)) rule.set('messageExpression', celExpression(random));
    if (random.chance(0.1)) rule.set('fieldPath', random.pick(['.a', '.__proto__', '..', "['a']"]));
    if (random.chance(0.1)) rule.set('reason', random.pick(['FieldValueInvalid', 'x']));
    if (random.chance(0.1)) rule.set('optionalOldSelf', true);
    return rule;
  });
}

const ATOMS = [
  'self',
  'self.a',
  'self.b',
  'self.list',
  'oldSelf.a',
  '1',
  '-9223372036854775808',
  '1u',
  '1.5e300',
  '"x"',
  "b'\\xff'",
  'true',
  'null',
  '[1,2]',
  '{"a":1}',
  'self.__proto__',
  'self.constructor',
  'type(1)',
  'duration("1h")',
  'timestamp("2024-01-01T00:00:00Z")',
];

/** A CEL expression: well formed more often than well typed. */
export function celExpression(random: Random, depth = 0): string {
  const one = (): string => celExpression(random, depth + 1);
  if (depth > 4) return random.pick(ATOMS);
  return random.weighted<() => string>([
    [5, () => random.pick(ATOMS)],
    [3, () => `${one()} ${random.pick(['==', '!=', '<', '&&', '||', '+', '-', '*', '/', '%', 'in'])} ${one()}`],
    [1, () => `(${one()}) ? (${one()}) : (${one()})`],
    [1, () => `!(${one()})`],
    [2, () => `self.list.${random.pick(['all', 'exists', 'map', 'filter', 'exists_one'])}(x, ${one()})`],
    [1, () => `[0,1,2,3,4,5,6,7,8,9].all(x, [0,1,2,3,4,5,6,7,8,9].all(y, ${one()}))`],
    [1, () => `${one()}.matches(${random.pick(['"(a+)+$"', '"["', '"(?=a)"', '"x{1000}{1000}"'])})`],
    [
      1,
      () =>
        `${one()}.${random.pick(['size()', 'split(",")', 'replace("", "xx")', 'format([1])', 'lowerAscii()', 'toString()', 'constructor()', 'hasOwnProperty("a")', 'sum()', 'indexOf("a")'])}`,
    ],
    [
      1,
      () =>
        `${random.pick(['size', 'int', 'uint', 'double', 'string', 'dyn', 'quantity', 'url', 'ip', 'cidr', 'has', 'toString', '__proto__', 'eval'])}(${one()})`,
    ],
    [0.4, () => `${'('.repeat(200 + random.int(4000))}1`],
    [0.3, () => `${'!'.repeat(random.int(3000))}true`],
    [0.3, () => `true${' && true'.repeat(random.int(2000))}`],
    [0.3, () => `self${'.a'.repeat(random.int(3000))}`],
    [0.3, () => `"${'x'.repeat(random.int(20_000))}" == "y"`],
    [
      0.4,
      () =>
        random.pick([
          '',
          '\u0000',
          '"',
          'r"\\',
          '"""',
          '"\\u{110000}"',
          '1..2',
          'a.b.c.',
          '{',
          'self[',
          '@',
          '0x',
          '1e',
          'for',
          'self.a.?b',
          'optional.of(1)',
        ]),
    ],
  ])();
}
