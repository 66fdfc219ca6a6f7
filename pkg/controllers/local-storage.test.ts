import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { newLocalStorageController } from './local-storage/local-storage-controller.ts';
import { newPersistentVolumeController } from './persistent-volume/persistent-volume-controller.ts';
import { startControllers } from './testing.ts';

const claim = { namespace: 'n', name: 'c' };

function start() {
  const removed: string[] = [];
  let isDown = false;
  const run = startControllers((deps) => [
    newPersistentVolumeController({ ...deps, removeDirectory: async () => undefined }),
    newLocalStorageController({
      ...deps,
      async removeLocalVolume(node, volume) {
        if (isDown) throw new Error('connection refused');
        removed.push(`${node} ${volume}`);
      },
    }),
  ]);
  const { cluster } = run;
  cluster.add(resources.storageclasses, {
    metadata: { name: 'local' },
    provisioner: 'kube-lite.io/local-path',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  cluster.add(resources.nodes, {
    metadata: {
      name: 'a',
      labels: { 'kubernetes.io/hostname': 'a' },
      annotations: { 'kube-lite.io/local-storage-directory': '/data/storage' },
    },
  });
  return {
    ...run,
    removed,
    nodeDown(down: boolean): void {
      isDown = down;
    },
    claim(spec: object = {}): void {
      cluster.add(resources.persistentvolumeclaims, {
        metadata: { ...claim, uid: 'u', annotations: { 'volume.kubernetes.io/selected-node': 'a' } },
        spec: {
          storageClassName: 'local',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...spec,
        },
        status: { phase: 'Pending' },
      });
    },
  };
}

test('a volume comes with the node that the scheduler chose, and goes with its claim', async () => {
  const { cluster, clock, events, removed, nodeDown, claim: add, stop } = start();
  add();
  await clock.advance(10);
  expect(cluster.get(resources.persistentvolumeclaims, claim)?.status?.phase).toBe('Bound');
  expect(cluster.get(resources.persistentvolumes, { name: 'pvc-u' })).toMatchObject({
    spec: {
      hostPath: { path: '/data/storage/pvc-u', type: 'DirectoryOrCreate' },
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['a'] }] }],
        },
      },
    },
    status: { phase: 'Bound' },
  });
  expect(events()).toContain('ProvisioningSucceeded Successfully provisioned volume pvc-u');
  nodeDown(true);
  cluster.remove(resources.persistentvolumeclaims, claim);
  await clock.advance(1000);
  expect(cluster.get(resources.persistentvolumes, { name: 'pvc-u' })?.status?.phase).toBe('Released');
  expect(events('PersistentVolume')[0]).toBe('VolumeFailedDelete connection refused');
  nodeDown(false);
  await clock.advance(30_000);
  expect(removed).toEqual(['a pvc-u']);
  expect(cluster.get(resources.persistentvolumes, { name: 'pvc-u' })).toBeUndefined();
  await stop();
});

test.each<[string, object, string]>([
  [
    'many nodes',
    { accessModes: ['ReadWriteMany'] },
    'access mode ReadWriteMany is not supported: the volume is on one node',
  ],
  ['a device', { volumeMode: 'Block' }, 'volume mode Block is not supported'],
  ['a selector', { selector: { matchLabels: { a: 'b' } } }, 'claim selectors are not supported'],
])('refused: %s', async (_, spec, problem) => {
  const { cluster, clock, events, claim: add, stop } = start();
  add(spec);
  await clock.advance(10);
  await clock.advance(10);
  const message = `failed to provision volume with StorageClass "local": ${problem}`;
  expect(events()).toContain(`ProvisioningFailed ${message}`);
  expect(cluster.list(resources.persistentvolumes)).toEqual([]);
  await stop();
});
