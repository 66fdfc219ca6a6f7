import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { KubeObject, ResourceType } from '../../api/object.ts';
import { finishPods, startControllers } from '../testing.ts';
import { newGarbageCollector } from './garbage-collector.ts';

const widgets: ResourceType<KubeObject> = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

async function setup() {
  const started = startControllers((deps) => [newGarbageCollector(deps)]);
  await started.clock.advance(10);
  const { cluster } = started;
  return {
    ...started,
    set: (name: string, owners: object[] = []) =>
      cluster.add(resources.replicasets, {
        metadata: { namespace: 'n', name, uid: `uid-${name}`, ownerReferences: owners as never },
      }),
    pod: (name: string, owners: object[]) =>
      cluster.add(resources.pods, {
        metadata: { namespace: 'n', name, uid: `uid-${name}`, ownerReferences: owners as never },
        spec: { nodeName: 'n1', containers: [] },
      }),
    names: () => cluster.list(resources.pods).map(({ metadata }) => metadata.name),
  };
}

const ref = (name: string, extra: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name,
  uid: `uid-${name}`,
  ...extra,
});
const remove = { namespace: 'n', name: 'a' };

test('background: dependents go with their owner, along the chain; others stay', async () => {
  const { cluster, clock, set, pod, stop } = await setup();
  cluster.add(resources.deployments, { metadata: { namespace: 'n', name: 'd', uid: 'uid-d' } });
  set('a', [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'uid-d' }]);
  pod('owned', [ref('a')]);
  pod('free', []);
  await clock.advance(10);
  expect(cluster.actions).toEqual([]);
  await cluster.client.delete(resources.deployments, { namespace: 'n', name: 'd' });
  await clock.advance(10);
  expect(cluster.list(resources.replicasets)).toEqual([]);
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'owned' })?.metadata.deletionTimestamp).toBeDefined();
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'free' })?.metadata.deletionTimestamp).toBeUndefined();
  await stop();
});

test('an owner that never was, and one that is another object of the same name', async () => {
  const { cluster, clock, set, pod, stop } = await setup();
  set('a');
  pod('gone', [ref('missing')]);
  pod('replaced', [ref('a', { uid: 'uid-of-a-former-a' })]);
  pod('half', [ref('missing'), ref('a')]);
  pod('elsewhere', [{ apiVersion: 'unknown.io/v1', kind: 'Thing', name: 'x', uid: 'u' }]);
  await clock.advance(10);
  const deleting = Object.fromEntries(
    cluster.list(resources.pods).map(({ metadata }) => [metadata.name, metadata.deletionTimestamp !== undefined]),
  );
  expect(deleting).toEqual({ gone: true, replaced: true, half: false, elsewhere: false });
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'half' })?.metadata.ownerReferences).toEqual([ref('a')]);
  await stop();
});

test.each([
  ['an owner that was there before', true],
  ['an owner that comes later', false],
])('%s in another namespace is none, and that is told', async (_, isFirst) => {
  const { cluster, clock, pod, events, stop } = await setup();
  const owner = () => cluster.add(resources.replicasets, { metadata: { namespace: 'other', name: 'a', uid: 'uid-a' } });
  if (isFirst) owner();
  cluster.fail(({ verb, type }) => !isFirst && verb === 'get' && type.kind === 'ReplicaSet', new Error('slow'));
  pod('lost', [ref('a')]);
  await clock.advance(1);
  if (!isFirst) owner();
  await clock.advance(2000);
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'lost' })?.metadata.deletionTimestamp).toBeDefined();
  expect(events()).toEqual([
    'OwnerRefInvalidNamespace ownerRef [apps/v1/ReplicaSet, namespace: n, name: a, uid: uid-a] does not exist in namespace "n"',
  ]);
  await stop();
});

test.each([
  ['is there', true],
  ['is not there', false],
])('an owner in a namespace that %s does not take a cluster-scoped object with it', async (_, isThere) => {
  const { cluster, clock, set, stop } = await setup();
  if (isThere) set('a');
  cluster.add(resources.persistentvolumes, { metadata: { name: 'v', ownerReferences: [ref('a')] as never }, spec: {} });
  await clock.advance(1000);
  const writes = cluster.actions.filter(({ resource }) => resource === 'persistentvolumes');
  expect(writes).toEqual([]);
  expect(cluster.get(resources.persistentvolumes, { name: 'v' })).toBeDefined();
  await stop();
});

test('foreground: the owner waits for blocking dependents', async () => {
  const { cluster, clock, set, pod, names, stop } = await setup();
  set('a');
  pod('blocking', [ref('a', { blockOwnerDeletion: true })]);
  pod('other', [ref('a')]);
  await clock.advance(10);
  await cluster.client.delete(resources.replicasets, remove, { propagationPolicy: 'Foreground' });
  await clock.advance(100);
  expect(cluster.get(resources.replicasets, remove)?.metadata.finalizers).toEqual(['foregroundDeletion']);
  expect(cluster.list(resources.pods).every(({ metadata }) => metadata.deletionTimestamp !== undefined)).toBe(true);
  finishPods(cluster);
  await clock.advance(10);
  expect(names()).toEqual([]);
  expect(cluster.get(resources.replicasets, remove)).toBeUndefined();
  await stop();
});

test('foreground: a circle is no reason to wait for ever', async () => {
  const { cluster, clock, pod, names, stop } = await setup();
  const podRef = (name: string) => ({ ...ref(name, { blockOwnerDeletion: true }), apiVersion: 'v1', kind: 'Pod' });
  pod('a', [podRef('c')]);
  pod('b', [podRef('a')]);
  pod('c', [podRef('b')]);
  await clock.advance(10);
  await cluster.client.delete(resources.pods, { namespace: 'n', name: 'a' }, { propagationPolicy: 'Foreground' });
  for (let round = 0; round < 4; round += 1) {
    await clock.advance(100);
    finishPods(cluster);
  }
  await clock.advance(100);
  expect(names()).toEqual([]);
  await stop();
});

test('orphan: dependents lose the reference and stay', async () => {
  const { cluster, clock, set, pod, stop } = await setup();
  set('a');
  pod('p', [ref('a')]);
  await clock.advance(10);
  await cluster.client.delete(resources.replicasets, remove, { propagationPolicy: 'Orphan' });
  await clock.advance(10);
  expect(cluster.get(resources.replicasets, remove)).toBeUndefined();
  const left = cluster.get(resources.pods, { namespace: 'n', name: 'p' })?.metadata;
  expect(left?.deletionTimestamp).toBeUndefined();
  expect(left?.ownerReferences).toBeUndefined();
  await stop();
});

test('custom resources are found when their definition comes, and forgotten when it goes', async () => {
  const { cluster, clock, set, stop } = await setup();
  cluster.addType(widgets);
  cluster.add(resources.customresourcedefinitions, { metadata: { name: 'widgets.example.com' } });
  await clock.advance(1000);
  set('a');
  cluster.add(widgets, { metadata: { namespace: 'n', name: 'w', ownerReferences: [ref('a')] } });
  await clock.advance(10);
  await cluster.client.delete(resources.replicasets, remove);
  await clock.advance(10);
  expect(cluster.list(widgets)).toEqual([]);
  cluster.removeType(widgets);
  cluster.remove(resources.customresourcedefinitions, { name: 'widgets.example.com' });
  await clock.advance(1000);
  await stop();
});
