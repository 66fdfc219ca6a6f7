import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { newEphemeralVolumeController } from './ephemeral-volume/ephemeral-volume-controller.ts';
import { startControllers } from './testing.ts';
import {
  newClaimProtectionController,
  newVolumeProtectionController,
} from './volume-protection/volume-protection-controller.ts';

test('a claim with the name of an ephemeral volume that is no such claim is told', async () => {
  const { cluster, clock, events, stop } = startControllers((deps) => [newEphemeralVolumeController(deps)]);
  cluster.add(resources.persistentvolumeclaims, { metadata: { namespace: 'n', name: 'p-data' }, spec: {} });
  cluster.add(resources.pods, {
    metadata: { namespace: 'n', name: 'p' },
    spec: { volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
  });
  await clock.advance(1);
  expect(events()[0]).toBe(
    'FailedBinding ephemeral volume data: PVC n/p-data was not created for pod n/p (pod is not owner)',
  );
  await stop();
});

test('claims and volumes in use are kept; claims of ephemeral volumes come with their pod', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [
    newClaimProtectionController(deps),
    newVolumeProtectionController(deps),
    newEphemeralVolumeController(deps),
  ]);
  cluster.add(resources.persistentvolumes, { metadata: { name: 'v' }, spec: {}, status: { phase: 'Bound' } });
  cluster.add(resources.pods, {
    metadata: { namespace: 'n', name: 'p' },
    spec: { nodeName: 'n1', volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
    status: { phase: 'Running' },
  });
  await clock.advance(10);
  const claim = { namespace: 'n', name: 'p-data' };
  expect(cluster.get(resources.persistentvolumeclaims, claim)?.metadata).toMatchObject({
    finalizers: ['kubernetes.io/pvc-protection'],
    ownerReferences: [{ kind: 'Pod', name: 'p', controller: true }],
  });
  await cluster.client.delete(resources.persistentvolumeclaims, claim);
  await cluster.client.delete(resources.persistentvolumes, { name: 'v' });
  await clock.advance(10);
  expect(cluster.get(resources.persistentvolumeclaims, claim)).toBeDefined();
  cluster.remove(resources.pods, { namespace: 'n', name: 'p' });
  cluster.change(resources.persistentvolumes, { name: 'v' }, (volume) => {
    volume.status = { ...volume.status, phase: 'Released' };
  });
  await clock.advance(10);
  expect(cluster.get(resources.persistentvolumeclaims, claim)).toBeUndefined();
  expect(cluster.get(resources.persistentvolumes, { name: 'v' })).toBeUndefined();
  await stop();
});
