import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Node } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { newPodGCController } from './pod-gc-controller.ts';

function pod(name: string, spec: object, status: object = { phase: 'Running' }, metadata: object = {}) {
  return { metadata: { namespace: 'n', name, ...metadata }, spec: { containers: [], ...spec }, status };
}

test('pods of a node that is gone are failed and removed after 40 s; others stay', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newPodGCController(deps)]);
  cluster.add(resources.nodes, { metadata: { name: 'a' } });
  cluster.add(resources.nodes, { metadata: { name: 'b' } });
  cluster.add(resources.pods, pod('on-a', { nodeName: 'a' }));
  cluster.add(resources.pods, pod('on-b', { nodeName: 'b' }));
  cluster.add(resources.pods, pod('on-c', { nodeName: 'c' }));
  cluster.add(resources.pods, pod('pending', {}));
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [] };
  cluster.add(resources.pods, pod('unscheduled', {}, {}, deleted));
  await clock.advance(10_000);
  cluster.remove(resources.nodes, { name: 'b' });
  const names = () => cluster.list(resources.pods).map(({ metadata }) => metadata.name);
  expect(names()).toEqual(['on-a', 'on-b', 'on-c', 'pending']);
  expect(cluster.actions.find(({ verb, name }) => verb === 'patch' && name === 'unscheduled')?.body).toMatchObject({
    status: { phase: 'Failed' },
  });
  await clock.advance(31_000);
  expect(names()).toEqual(['on-a', 'on-b', 'pending']);
  await clock.advance(10_000);
  expect(names()).toEqual(['on-a', 'pending']);
  expect(cluster.actions.find(({ verb, name }) => verb === 'patch' && name === 'on-b')?.body).toMatchObject({
    status: { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', reason: 'DeletionByPodGC' }] },
  });
  await stop();
});

test('of finished pods only so many are kept, the newest', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newPodGCController({ ...deps, maxTerminated: 2 })]);
  cluster.add(resources.nodes, { metadata: { name: 'a' } });
  for (let i = 0; i < 5; i++) {
    const creationTimestamp = `2026-01-01T00:00:0${i}Z`;
    cluster.add(resources.pods, pod(`p${i}`, { nodeName: 'a' }, { phase: 'Succeeded' }, { creationTimestamp }));
  }
  await clock.advance(10);
  expect(cluster.list(resources.pods).map(({ metadata }) => metadata.name)).toEqual(['p3', 'p4']);
  await stop();
});

test('pods that are being deleted on a node out of service go at once', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newPodGCController(deps)]);
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 };
  cluster.add(resources.nodes, {
    metadata: { name: 'a' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
  });
  cluster.add(resources.pods, pod('stays', { nodeName: 'a' }));
  cluster.add(resources.pods, pod('goes', { nodeName: 'a' }, { phase: 'Running' }, deleted));
  await clock.advance(60_000);
  const names = () => cluster.list(resources.pods).map(({ metadata }) => metadata.name);
  expect(names()).toEqual(['goes', 'stays']);
  cluster.change<Node>(resources.nodes, { name: 'a' }, (node) => {
    node.spec.taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }];
  });
  await clock.advance(10);
  expect(names()).toEqual(['stays']);
  expect(cluster.actions.find(({ verb }) => verb === 'patch')?.body).toMatchObject({ status: { phase: 'Failed' } });
  await stop();
});
