import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { newResourceClaimController } from './resource-claim/resource-claim-controller.ts';
import { startControllers } from './testing.ts';

const pod = { namespace: 'n', name: 'p' };

test('a pod gets the claims of its templates, and they go when it has ended', async () => {
  const { cluster, clock, events, stop } = startControllers((deps) => [newResourceClaimController(deps)]);
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
