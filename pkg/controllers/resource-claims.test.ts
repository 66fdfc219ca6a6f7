import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { newResourceClaimControllers } from './resource-claim/resource-claim-controllers.ts';
import { startControllers } from './testing.ts';

const pod = { namespace: 'n', name: 'p' };

test('a pod gets the claims of its templates, and they go when it has ended', async () => {
  const { cluster, clock, events, stop } = startControllers(newResourceClaimControllers);
  cluster.add(resources.pods, {
    metadata: pod,
    spec: { containers: [], resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
    status: { phase: 'Pending' },
  });
  await clock.advance(10);
  expect(events()[0]).toBe(
    'FailedResourceClaimCreation PodResourceClaim gpu: resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
  );
  cluster.add(resources.resourceclaimtemplates, {
    metadata: { namespace: 'n', name: 't' },
    spec: { metadata: { labels: { a: 'b' } }, spec: { devices: {} } },
  });
  await clock.advance(100);
  await clock.advance(100);
  const [claim] = cluster.list(resources.resourceclaims);
  expect(claim?.metadata).toMatchObject({
    generateName: 'p-gpu-',
    labels: { a: 'b' },
    annotations: { 'resource.kubernetes.io/pod-claim-name': 'gpu' },
    ownerReferences: [{ kind: 'Pod', name: 'p', controller: true }],
  });
  expect(cluster.get(resources.pods, pod)?.status.resourceClaimStatuses).toEqual([
    { name: 'gpu', resourceClaimName: claim?.metadata.name },
  ]);
  expect(cluster.list(resources.resourceclaims)).toHaveLength(1);
  cluster.change<Pod>(resources.pods, pod, (one) => {
    one.status.phase = 'Succeeded';
  });
  await clock.advance(100);
  expect(cluster.list(resources.resourceclaims)).toEqual([]);
  await stop();
});

test('devices are given back after the last pod, and a claim of a user stays', async () => {
  const { cluster, clock, stop } = startControllers(newResourceClaimControllers);
  const consumer = (name: string): object => ({ resource: 'pods', name, uid: `uid-${name}` });
  for (const name of ['p', 'q']) {
    cluster.add(resources.pods, {
      metadata: { namespace: 'n', name, uid: `uid-${name}` },
      spec: { containers: [], nodeName: 'a', resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] },
      status: { phase: 'Running' },
    });
  }
  const key = { namespace: 'n', name: 'c' };
  cluster.add(resources.resourceclaims, {
    metadata: { ...key, finalizers: ['resource.kubernetes.io/delete-protection'] },
    spec: {},
    status: { allocation: { devices: {} }, reservedFor: [consumer('p')] },
  });
  await clock.advance(100);
  // The scheduler has not seen it: it came with a node.
  const claim = () => cluster.get(resources.resourceclaims, key);
  expect(claim()?.status.reservedFor).toEqual([consumer('p'), consumer('q')]);
  cluster.change<Pod>(resources.pods, { namespace: 'n', name: 'p' }, (one) => {
    one.status.phase = 'Failed';
  });
  await clock.advance(100);
  expect(claim()?.status).toEqual({ allocation: { devices: {} }, reservedFor: [consumer('q')] });
  cluster.remove(resources.pods, { namespace: 'n', name: 'q' });
  await clock.advance(100);
  await clock.advance(100);
  expect(claim()).toMatchObject({ metadata: { finalizers: [] }, status: {} });
  expect(claim()?.status.allocation).toBeUndefined();
  await stop();
});
