import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { componentStatusVerb } from './component-status.ts';
import { answerObject } from './registry/answer.ts';
import type { RegistryCore } from './registry/core.ts';
import type { ResourceRequest } from './registry/registry.ts';
import { Query } from './request/query.ts';

const verb = componentStatusVerb([
  { name: 'scheduler', check: () => undefined },
  { name: 'etcd-0', check: async () => 'the store does not answer' },
]);

const ask = async (name: string): Promise<unknown> => {
  const definition = { type: resources.componentstatuses, listKind: 'ComponentStatusList' };
  const context = { info: { namespace: '', name }, query: Query.empty };
  const request = { definition, context } as unknown as ResourceRequest;
  return answerObject(await verb({} as RegistryCore, request));
};

test('the parts of the control plane are asked for their health', async () => {
  expect(await ask('')).toMatchObject({
    kind: 'ComponentStatusList',
    items: [
      { metadata: { name: 'scheduler' }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
      {
        metadata: { name: 'etcd-0' },
        conditions: [{ type: 'Healthy', status: 'False', error: 'the store does not answer' }],
      },
    ],
  });
  expect(await ask('scheduler')).toMatchObject({ kind: 'ComponentStatus', metadata: { name: 'scheduler' } });
  await expect(ask('other')).rejects.toThrow('componentstatus "other" not found');
});
