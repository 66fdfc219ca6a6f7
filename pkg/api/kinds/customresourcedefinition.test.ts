import { describe, expect, test } from 'vitest';
import type { CustomResourceDefinition, JSONSchemaProps } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { customResourceDefinitionStrategy as strategy } from './customresourcedefinition.ts';
import { validateSchemas } from './customresourcedefinition-schemas.ts';

const context = { nowMs: 0, subresource: '' };

async function errorsOf(properties: Record<string, JSONSchemaProps>, root: JSONSchemaProps = {}): Promise<string[]> {
  const errors = await validateSchemas([['x', { type: 'object', properties, ...root }]]);
  return errors.map(({ type, field, message }) => `${type} ${field} ${message}`);
}

describe('structural schemas', () => {
  test.each<[string, JSONSchemaProps, string[]]>([
    ['a type', { type: 'string' }, []],
    ['no type', {}, ['FieldValueRequired x.properties[v].type']],
    [
      'null',
      { type: 'null' },
      ['FieldValueNotSupported x.properties[v].type', 'FieldValueForbidden x.properties[v].type'],
    ],
    ['anything', { 'x-kubernetes-preserve-unknown-fields': true }, []],
    ['items without a type', { type: 'array', items: {} }, ['FieldValueRequired x.properties[v].items.type']],
    ['no items', { type: 'array' }, ['FieldValueRequired x.properties[v].items']],
    [
      'int or string in the usual way',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      [],
    ],
    [
      'int or string that is not called so',
      { 'x-kubernetes-preserve-unknown-fields': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      [],
    ],
    [
      'an int or string of which more is said',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer', minimum: 1 }, { type: 'string' }] },
      ['FieldValueForbidden x.properties[v].anyOf[0].type', 'FieldValueForbidden x.properties[v].anyOf[1].type'],
    ],
    [
      'int or string with more restrictions',
      {
        'x-kubernetes-int-or-string': true,
        allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: '^a' }],
      },
      [],
    ],
    [
      'types in alternatives',
      { type: 'string', oneOf: [{ type: 'string' }] },
      ['FieldValueForbidden x.properties[v].oneOf[0].type'],
    ],
    [
      'defaults in alternatives',
      { type: 'string', not: { default: 'x' } },
      ['FieldValueForbidden x.properties[v].not.default'],
    ],
    [
      'an embedded resource that says nothing',
      { type: 'object', 'x-kubernetes-embedded-resource': true },
      ['FieldValueRequired x.properties[v].properties'],
    ],
  ])('%s', async (_, props, expected) => {
    const errors = await errorsOf({ v: props });
    expect(errors.map((error) => error.split(' ', 2).join(' '))).toEqual(expected);
  });

  test('alternatives of the root are about what is specified', async () => {
    const alternatives = { anyOf: [{ properties: { a: { minimum: 1 } } }] };
    const errors = await errorsOf({ v: { type: 'object', ...alternatives } }, alternatives);
    expect(errors).toEqual([
      'FieldValueRequired x.properties[a] Required value: because it is defined in x.anyOf[0].properties[a]',
    ]);
  });

  test('metadata says no more than names', async () => {
    expect(
      await errorsOf({ metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } }),
    ).toEqual([]);
    const [error] = await errorsOf({ metadata: { type: 'object', properties: { labels: { type: 'object' } } } });
    expect(error).toMatch(/^FieldValueForbidden x\.properties\[metadata\] .* other than name and generateName/);
  });
});

describe('keywords', () => {
  test.each<[string, JSONSchemaProps, string[]]>([
    [
      'unique items',
      { type: 'array', items: { type: 'string' }, uniqueItems: true },
      ['FieldValueForbidden .uniqueItems'],
    ],
    ['references', { type: 'string', $ref: '#/x' }, ['FieldValueForbidden .$ref']],
    ['a map type of no object', { type: 'string', 'x-kubernetes-map-type': 'atomic' }, ['FieldValueInvalid .type']],
    [
      'sets of maps that are not atomic',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } },
      ['FieldValueInvalid .items.x-kubernetes-map-type'],
    ],
    [
      'nullable items of sets',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string', nullable: true } },
      ['FieldValueForbidden .items.nullable'],
    ],
    [
      'keys without a map',
      { type: 'array', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'string' } },
      ['FieldValueRequired .x-kubernetes-list-type'],
    ],
    ['a default of another type', { type: 'integer', default: 'x' }, ['FieldValueTypeInvalid .default']],
    [
      'a default that would be pruned',
      { type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } },
      ['FieldValueInvalid .default'],
    ],
    [
      'a default with a wrong part',
      { type: 'object', properties: { a: { type: 'string' } }, default: { a: 1 } },
      ['FieldValueTypeInvalid .default.a'],
    ],
  ])('%s', async (_, props, expected) => {
    const errors = await errorsOf({ v: props });
    const short = errors.map((error) => error.split(' ', 2).join(' ').replace('x.properties[v]', ''));
    expect(short).toEqual(expected);
  });
});

describe('rules', () => {
  const rules = (...list: NonNullable<JSONSchemaProps['x-kubernetes-validations']>): JSONSchemaProps => ({
    'x-kubernetes-validations': list,
  });
  const items = (listType: string, more: JSONSchemaProps): JSONSchemaProps => ({
    type: 'array',
    maxItems: 5,
    'x-kubernetes-list-type': listType,
    ...(listType === 'map' ? { 'x-kubernetes-list-map-keys': ['k'] } : {}),
    items: { type: 'object', required: ['k'], properties: { k: { type: 'string', maxLength: 5 } }, ...more },
  });
  test.each<[string, JSONSchemaProps, string]>([
    ['a good one', { type: 'integer', ...rules({ rule: 'self > 1' }) }, ''],
    ['no bool', { type: 'integer', ...rules({ rule: 'self + 1' }) }, 'rule .* must evaluate to a bool'],
    ['empty', { type: 'integer', ...rules({ rule: ' ' }) }, 'FieldValueRequired .*rule is not specified'],
    ['lines without a message', { type: 'integer', ...rules({ rule: 'self\n> 1' }) }, 'if rule contains line breaks'],
    [
      'a message that is no text',
      { type: 'integer', ...rules({ rule: 'self > 1', messageExpression: '1' }) },
      'a string',
    ],
    [
      'too expensive',
      { type: 'array', items: { type: 'string' }, ...rules({ rule: 'self.all(a, self.all(b, a != b))' }) },
      'more than 100x',
    ],
    ['oldSelf in a list map', items('map', rules({ rule: 'self.k == oldSelf.k' })), ''],
    [
      'oldSelf in an atomic list',
      items('atomic', rules({ rule: 'self.k == oldSelf.k' })),
      'within x.properties\\[v\\]',
    ],
    [
      'optional without oldSelf',
      { type: 'integer', ...rules({ rule: 'self > 1', optionalOldSelf: true }) },
      'optionalOldSelf',
    ],
    [
      'optional oldSelf',
      { type: 'integer', ...rules({ rule: 'oldSelf.orValue(0) <= self', optionalOldSelf: true }) },
      '',
    ],
    [
      'a part of what a call gives, which costs what the root would',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        ...rules({
          rule: '!oldSelf.hasValue() || oldSelf.value().a == self.a',
          optionalOldSelf: true,
          messageExpression: "'was ' + oldSelf.value().a",
        }),
      },
      '',
    ],
    [
      'text that a call gives, which nothing bounds',
      { type: 'integer', ...rules({ rule: 'self > 1', messageExpression: "'is ' + string(self)" }) },
      'estimated messageExpression cost exceeds budget by factor of more than 100x',
    ],
    [
      'a path to what is not there',
      { type: 'object', properties: { a: { type: 'string' } }, ...rules({ rule: 'true', fieldPath: '.b' }) },
      'must be a valid path',
    ],
    [
      'a rule that does not compile, as a Go struct',
      { type: 'string', ...rules({ rule: 'self' }) },
      '{"Rule":"self","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must',
    ],
    [
      'an optional oldSelf of a rule that does not compile',
      { type: 'string', ...rules({ rule: 'self', optionalOldSelf: true }) },
      'may not be set if oldSelf is not used in rule',
    ],
  ])('%s', async (_, props, expected) => {
    const errors = (await errorsOf({ v: props })).join('\n');
    if (expected === '') expect(errors).toBe('');
    else expect(errors).toMatch(new RegExp(expected));
  });
});

describe('definitions', () => {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  const version = (name: string, more: object = {}) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema,
    ...more,
  });
  const errors = (spec: object, old?: KubeObject, annotations: Record<string, string> = {}): string[] => {
    const object = {
      metadata: { name: 'cogs.example.com', annotations },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'cogs', kind: 'Cog' },
        versions: [version('v1')],
        ...spec,
      },
      status: old?.['status'] ?? { storedVersions: ['v1'] },
    } as unknown as KubeObject;
    strategy.default?.(object);
    const found = old ? strategy.validateUpdate?.(object, old, context) : strategy.validate?.(object, context);
    return (found ?? []).map(({ type, field }) => `${type} ${field}`);
  };

  test('settings that all versions share are the definition’s', () => {
    const columns = { additionalPrinterColumns: [{ name: 'x', type: 'string', jsonPath: 'x' }] };
    const wrong = 'FieldValueInvalid spec.additionalPrinterColumns[0].JSONPath';
    expect(errors({ versions: [version('v1', columns), version('v2', columns)] })).toEqual([wrong]);
    expect(errors({ versions: [version('v1'), version('v2', columns)] })).toEqual([
      wrong.replace('spec.', 'spec.versions[1].'),
    ]);
  });

  test.each<[object, string[]]>([
    [{ deprecationWarning: 'x' }, ['FieldValueInvalid spec.versions[0].deprecationWarning']],
    [{ selectableFields: [{ jsonPath: '.spec.color' }] }, ['FieldValueInvalid spec.selectableFields[0].jsonPath']],
    [
      { subresources: { status: {} }, schema: { openAPIV3Schema: { ...schema.openAPIV3Schema, maxProperties: 3 } } },
      ['FieldValueInvalid spec.validation.openAPIV3Schema'],
    ],
  ])('%j', (more, expected) => {
    expect(errors({ versions: [version('v1', more)] })).toEqual(expected);
  });

  test('selectable fields are scalars', () => {
    const properties = { spec: { type: 'object', properties: { color: { type: 'string' }, o: { type: 'object' } } } };
    const selectable = (...paths: string[]) => ({
      versions: [
        version('v1', {
          schema: { openAPIV3Schema: { type: 'object', properties } },
          selectableFields: paths.map((jsonPath) => ({ jsonPath })),
        }),
      ],
    });
    expect(errors(selectable('.spec.color'))).toEqual([]);
    expect(errors(selectable('.spec.o', '.spec.color', '.spec.color'))).toEqual([
      'FieldValueInvalid spec.selectableFields[0].jsonPath',
      'FieldValueDuplicate spec.selectableFields[2].jsonPath',
    ]);
  });

  test('webhooks name review versions that servers know', () => {
    const webhook = { clientConfig: { url: 'https://example.com/convert' }, conversionReviewVersions: ['v7'] };
    expect(errors({ conversion: { strategy: 'Webhook', webhook } })).toEqual([
      'FieldValueInvalid spec.conversion.conversionReviewVersions',
    ]);
  });

  test('settings of webhooks need webhooks', () => {
    const clientConfig = { url: 'https://example.com/convert' };
    const disused = { strategy: 'None', webhook: { clientConfig, conversionReviewVersions: ['v1'] } };
    expect(errors({ conversion: disused })).toEqual([
      'FieldValueForbidden spec.conversion.webhookClientConfig',
      'FieldValueForbidden spec.conversion.conversionReviewVersions',
    ]);
    expect(errors({ conversion: {} })).toEqual(['FieldValueRequired spec.conversion.strategy']);
    expect(errors({ conversion: { strategy: 'Webhook' } })).toEqual([
      'FieldValueRequired spec.conversion.webhookClientConfig',
      'FieldValueRequired spec.conversion.conversionReviewVersions',
    ]);
  });

  test('names are labels', () => {
    const names = { plural: 'cogs', kind: 'C_g', listKind: 'C_g', shortNames: ['C'], categories: ['a b'] };
    expect(errors({ names })).toEqual([
      'FieldValueInvalid spec.names.singular',
      'FieldValueInvalid spec.names.kind',
      'FieldValueInvalid spec.names.listKind',
      'FieldValueInvalid spec.names.shortNames[0]',
      'FieldValueInvalid spec.names.listKind',
      'FieldValueInvalid spec.names.categories[0]',
    ]);
    const object = { metadata: {}, spec: {}, status: { acceptedNames: { plural: 'A' } } } as unknown as KubeObject;
    const status = { ...context, subresource: 'status' };
    expect(strategy.validateUpdate?.(object, object, status)?.map(({ field }) => field)).toEqual([
      'status.acceptedNames.plural',
    ]);
  });

  const cogs = (conditions?: object[]) =>
    ({
      metadata: { name: 'cogs.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'cogs', kind: 'Cog' },
        versions: [version('v1')],
      },
      status: { storedVersions: ['v1'], ...(conditions === undefined ? {} : { conditions }) },
    }) as unknown as KubeObject;

  test('an update is not about the name, nor about what was stored first', () => {
    const old = cogs();
    const renamed = { names: { plural: 'wheels', kind: 'Cog' } };
    expect(errors(renamed)).toEqual(['FieldValueInvalid metadata.name']);
    expect(errors(renamed, old)).toEqual(['FieldValueInvalid spec.names.plural']);
    const unstored = { versions: [version('v1', { storage: false })] };
    expect(errors(unstored)).toEqual(['FieldValueInvalid spec.versions', 'FieldValueInvalid status.storedVersions']);
    expect(errors(unstored, old)).toEqual(['FieldValueInvalid spec.versions']);
  });

  test('warnings about deprecation are short and printable', () => {
    const wrong = 'FieldValueInvalid spec.versions[0].deprecationWarning';
    const deprecated = (deprecationWarning: string) =>
      errors({ versions: [version('v1', { deprecated: true, deprecationWarning })] });
    expect(deprecated('use v2')).toEqual([]);
    expect(deprecated('')).toEqual([wrong]);
    expect(deprecated(`${'x'.repeat(256)}\n`)).toEqual([wrong, wrong]);
  });

  test('certificates of established webhooks can be read', () => {
    const webhook = (caBundle: string) => ({
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https://example.com/c', caBundle }, conversionReviewVersions: ['v1'] },
    });
    const old = (established: boolean, conversion: object) =>
      ({
        metadata: { name: 'cogs.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Cluster',
          names: { plural: 'cogs', kind: 'Cog' },
          versions: [version('v1')],
          conversion,
        },
        status: {
          storedVersions: ['v1'],
          conditions: [{ type: 'Established', status: established ? 'True' : 'False' }],
        },
      }) as unknown as KubeObject;
    const wrong = 'FieldValueInvalid spec.conversion.webhookClientConfig.caBundle';
    expect(errors({ conversion: webhook('YQ==') })).toEqual([]);
    expect(errors({ conversion: webhook('YQ==') }, old(true, { strategy: 'None' }))).toEqual([wrong]);
    expect(errors({ conversion: webhook('YQ==') }, old(false, { strategy: 'None' }))).toEqual([]);
    expect(errors({ conversion: webhook('YQ==') }, old(true, webhook('Yg==')))).toEqual([]);
  });

  test('groups of Kubernetes need an approval', () => {
    const spec = { group: 'x.k8s.io' };
    const about = 'metadata.annotations[api-approved.kubernetes.io]';
    const approval = (value?: string) =>
      errors(spec, undefined, value === undefined ? {} : { 'api-approved.kubernetes.io': value }).filter((one) =>
        one.endsWith(about),
      );
    expect(approval()).toEqual([`FieldValueRequired ${about}`]);
    expect(approval('somebody')).toEqual([`FieldValueInvalid ${about}`]);
    expect(approval('unapproved, a test')).toEqual([]);
    expect(approval('https://github.com/kubernetes/enhancements/pull/1111')).toEqual([]);
  });

  test('what was stored cannot go, what is established does not change', () => {
    const old = cogs([{ type: 'Established', status: 'True' }]);
    expect(errors({}, old)).toEqual([]);
    expect(errors({ scope: 'Namespaced' }, old)).toEqual(['FieldValueInvalid spec.scope']);
    expect(errors({ versions: [version('v2', { storage: true })] }, old)).toEqual([
      'FieldValueInvalid status.storedVersions[0]',
    ]);
  });

  test('a schema is checked when it changes', async () => {
    const make = (type: string) =>
      ({
        spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { type, properties: { a: {} } } } }] },
      }) as unknown as KubeObject;
    const later = (object: KubeObject, old?: KubeObject) => strategy.validateLater?.(object, old, context);
    expect(await later(make('object'))).toHaveLength(1);
    expect(await later(make('object'), make('object'))).toEqual([]);
    expect(await later(make('object'), make('string'))).toHaveLength(1);
    const status = { ...context, subresource: 'status' };
    expect(await strategy.validateLater?.(make('object'), undefined, status)).toEqual([]);
  });

  test('names are completed', () => {
    const object = { spec: { names: { plural: 'cogs', kind: 'Cog' } } } as unknown as CustomResourceDefinition;
    strategy.default?.(object as unknown as KubeObject);
    expect(object.spec.names).toEqual({ plural: 'cogs', kind: 'Cog', singular: 'cog', listKind: 'CogList' });
    expect(object.spec.conversion).toEqual({ strategy: 'None' });
  });
});
