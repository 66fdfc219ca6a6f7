import { expect, test } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import type { RemoteDescription } from '../aggregation/remote-discovery.ts';
import type { RemoteService } from '../aggregation/remote-services.ts';
import { aggregatedDiscovery, apiResourceList, groupsOf } from './documents.ts';

const definition = (group: string, version: string, resource: string): ResourceDefinition =>
  ({
    type: { group, version, resource, kind: resource, namespaced: true },
    singular: resource,
    shortNames: [],
    categories: [],
    verbs: ['get'],
    subresources: [],
  }) as unknown as ResourceDefinition;

const definitions = [
  definition('example.com', 'v1', 'cogs'),
  definition('autoscaling', 'v1', 'horizontalpodautoscalers'),
  definition('autoscaling', 'v2', 'horizontalpodautoscalers'),
  definition('apps', 'v1', 'replicasets'),
  definition('apps', 'v1', 'deployments'),
  definition('', 'v1', 'pods'),
  definition('apiregistration.k8s.io', 'v1', 'apiservices'),
];
const remote = (group: string, version: string, priority: number): RemoteService =>
  ({ name: `${version}.${group}`, group, version, priority: { group: priority, version: 15 } }) as RemoteService;

test('groups stand by the priorities of their APIServices', () => {
  const description: RemoteDescription = { resources: [{ resource: 'flunders' }], isStale: true };
  const remotes = {
    all: () => [remote('wardle', 'v1', 17_790), remote('example.com', 'v1', 10)],
    of: () => description,
  };
  const groups = groupsOf(definitions, remotes);
  expect(groups.map(({ group, versions }) => [group, versions.map(({ version }) => version).join()])).toEqual([
    ['apiregistration.k8s.io', 'v1'],
    ['', 'v1'],
    ['apps', 'v1'],
    ['wardle', 'v1'],
    ['autoscaling', 'v2,v1'],
    ['example.com', 'v1'],
  ]);
  const { items } = aggregatedDiscovery(groups, 'v2') as {
    items: { versions: { resources: { resource: string }[] }[] }[];
  };
  expect(items[2]?.versions[0]).toMatchObject({
    resources: [{ resource: 'deployments' }, { resource: 'replicasets' }],
    freshness: 'Current',
  });
  // What another server serves hides what is served here.
  expect(items[5]?.versions[0]).toEqual({ version: 'v1', resources: [{ resource: 'flunders' }], freshness: 'Stale' });
});

test.each([
  ['', 'v1', 'pods', 'xPOwRZ+Yhw8='],
  ['', 'v1', 'configmaps', 'qFsyl6wFWjQ='],
  ['apps', 'v1', 'deployments', '8aSe+NMegvE='],
  ['autoscaling', 'v1', 'horizontalpodautoscalers', 'qwQve8ut294='],
  ['autoscaling', 'v2', 'horizontalpodautoscalers', 'qwQve8ut294='],
  ['events.k8s.io', 'v1', 'events', 'r2yiGXH7wu8='],
  ['admissionregistration.k8s.io', 'v1', 'mutatingadmissionpolicies', 'LYmCf+UMVdg='],
  ['apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'jfWCUB31mvA='],
  ['', 'v1', 'componentstatuses', undefined],
  ['authentication.k8s.io', 'v1', 'tokenreviews', undefined],
])('the storage version of %s/%s %s is told as upstream tells it', (group, version, resource, hash) => {
  const found = builtinDefinitions().filter(({ type }) => type.group === group && type.version === version);
  const { resources } = apiResourceList('x', found) as { resources: { name: string; storageVersionHash?: string }[] };
  expect(resources.find(({ name }) => name === resource)?.storageVersionHash).toBe(hash);
});
