import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { newNamespaceController } from './namespace/namespace-controller.ts';
import { newRootCAPublisher } from './root-ca/root-ca-publisher.ts';
import { newServiceAccountController } from './serviceaccount/serviceaccount-controller.ts';
import { finishPods, startControllers } from './testing.ts';

test('a new namespace gets its ServiceAccount and the root CA, also again', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [
    newServiceAccountController(deps),
    newRootCAPublisher({ ...deps, rootCA: 'PEM' }),
  ]);
  cluster.add(resources.namespaces, { metadata: { name: 'n' } });
  await clock.advance(10);
  const key = { namespace: 'n', name: 'kube-root-ca.crt' };
  expect(cluster.get(resources.serviceaccounts, { namespace: 'n', name: 'default' })).toBeDefined();
  expect(cluster.get(resources.configmaps, key)?.data).toEqual({ 'ca.crt': 'PEM' });
  cluster.remove(resources.serviceaccounts, { namespace: 'n', name: 'default' });
  cluster.change(resources.configmaps, key, (configMap) => {
    configMap.data = { 'ca.crt': 'forged' };
  });
  await clock.advance(10);
  expect(cluster.get(resources.serviceaccounts, { namespace: 'n', name: 'default' })).toBeDefined();
  expect(cluster.get(resources.configmaps, key)?.data).toEqual({ 'ca.crt': 'PEM' });
  await stop();
});

test('a deleted namespace loses pods first, then the rest, then itself', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newNamespaceController(deps)]);
  const widgets = { group: 'x.io', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true };
  cluster.addType(widgets);
  cluster.add(resources.namespaces, { metadata: { name: 'n' } });
  cluster.add(resources.namespaces, { metadata: { name: 'other' } });
  cluster.add(resources.pods, {
    metadata: { namespace: 'n', name: 'p' },
    spec: { nodeName: 'a', containers: [], terminationGracePeriodSeconds: 1 },
  });
  cluster.add(resources.configmaps, { metadata: { namespace: 'other', name: 'c' } });
  cluster.add(resources.configmaps, { metadata: { namespace: 'n', name: 'held', finalizers: ['example.com/hold'] } });
  cluster.add(widgets, { metadata: { namespace: 'n', name: 'w' } });
  await clock.advance(10);
  await cluster.client.delete(resources.namespaces, { name: 'n' });
  await clock.advance(10);
  const conditions = () =>
    Object.fromEntries(
      (cluster.get(resources.namespaces, { name: 'n' })?.status?.conditions ?? []).map((c) => [c.type, c.message]),
    );
  expect(cluster.list(widgets)).toHaveLength(1);
  expect(conditions()).toMatchObject({
    NamespaceDeletionContentFailure: 'All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining: 'All content successfully removed',
    NamespaceFinalizersRemaining: 'All content-preserving finalizers finished',
  });
  await clock.advance(3000);
  expect(cluster.list(widgets)).toHaveLength(1);
  expect(conditions()).toMatchObject({
    NamespaceDeletionContentFailure:
      'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: n for gvr: /v1, Resource=pods',
    NamespaceContentRemaining: 'All content successfully removed',
  });
  finishPods(cluster);
  await clock.advance(10);
  expect(cluster.list(widgets)).toHaveLength(0);
  expect(conditions()).toMatchObject({
    NamespaceContentRemaining: 'Some resources are remaining: configmaps. has 1 resource instances',
    NamespaceFinalizersRemaining:
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  });
  cluster.remove(resources.configmaps, { namespace: 'n', name: 'held' });
  await clock.advance(3000);
  expect(cluster.get(resources.namespaces, { name: 'n' })).toBeUndefined();
  expect(cluster.list(resources.configmaps)).toHaveLength(1);
  await stop();
});
