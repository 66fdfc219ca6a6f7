import { expect, test } from 'vitest';
import type { JSONSchemaProps } from '../generated/types.ts';
import { schemaFromOpenAPI } from './crd.ts';
import { validateEmbedded } from './embedded.ts';

const resource: JSONSchemaProps = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
};

test.each<[unknown, string[]]>([
  [{ apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 'b' } } }, []],
  [{ kind: 'Pod' }, ['FieldValueRequired list[0].apiVersion']],
  [{ apiVersion: 'a/b/c', kind: '' }, ['FieldValueInvalid list[0].apiVersion', 'FieldValueInvalid list[0].kind']],
  [{ apiVersion: 'v1', kind: 'Not a kind' }, ['FieldValueInvalid list[0].kind']],
  [
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b', labels: { '-': 'x' } } },
    ['FieldValueInvalid list[0].metadata.name', 'FieldValueInvalid list[0].metadata.labels'],
  ],
])('%j', async (value, expected) => {
  const schema = await schemaFromOpenAPI({ type: 'object', properties: { list: { type: 'array', items: resource } } });
  const errors = validateEmbedded(schema, { list: [value] });
  expect(errors.map(({ type, field }) => `${type} ${field}`)).toEqual(expected);
});
