import { expect, test } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import type { RegistryCore, WriteTarget } from './core.ts';
import { managedFields } from './managed-fields.ts';
import { prepareQuestion } from './question.ts';

const core = { deps: { engine: managedFields, clock: { now: () => 0 } } } as unknown as RegistryCore;

function definitionOf(resource: string) {
  const definition = builtinDefinitions().find(({ type }) => type.resource === resource);
  if (definition === undefined) throw new Error(`no ${resource}`);
  return definition;
}

async function prepare(resource: string, object: object, namespace = ''): Promise<object> {
  const definition = definitionOf(resource);
  const target = { definition, namespace, name: '', subresource: '', context: {}, fieldManager: 'm' };
  await prepareQuestion(core, target as unknown as WriteTarget, definition, object as KubeObject);
  return object;
}

test('a question has owners, and nothing that only the server says', async () => {
  const metadata = { namespace: 'gone', uid: 'x', creationTimestamp: '2020-01-01T00:00:00Z', name: 'n' };
  expect(await prepare('subjectaccessreviews', { metadata, spec: { user: 'bob' } })).toEqual({
    metadata: {
      name: 'n',
      managedFields: [
        {
          manager: 'm',
          operation: 'Update',
          apiVersion: 'authorization.k8s.io/v1',
          time: '1970-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:user': {} } },
        },
      ],
    },
    spec: { user: 'bob' },
  });
});

test('a question is in the namespace of its path', async () => {
  expect(await prepare('localsubjectaccessreviews', { metadata: {} }, 'ns')).toMatchObject({
    metadata: { namespace: 'ns' },
  });
  await expect(prepare('localsubjectaccessreviews', { metadata: { namespace: 'other' } }, 'ns')).rejects.toThrow(
    'does not match the namespace sent on the request',
  );
});
