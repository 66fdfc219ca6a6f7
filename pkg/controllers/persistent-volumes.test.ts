import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { newPersistentVolumeController } from './persistent-volume/persistent-volume-controller.ts';
import { startControllers } from './testing.ts';
import { newVolumeExpandController } from './volume-expand/volume-expand-controller.ts';

function start(removeDirectory: (path: string) => Promise<void> = async () => undefined) {
  return startControllers((deps) => [
    newPersistentVolumeController({ ...deps, removeDirectory }),
    newVolumeExpandController(deps),
  ]);
}

const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 's', capacity: { storage: '1Gi' } };
const wanted = { accessModes: ['ReadWriteOnce'], storageClassName: 's', resources: { requests: { storage: '1Gi' } } };

test('a claim is bound, and its volume is released with it', async () => {
  const { cluster, clock, events, stop } = start();
  cluster.add(resources.persistentvolumes, {
    metadata: { name: 'v' },
    spec: { ...spec, persistentVolumeReclaimPolicy: 'Retain' },
    status: { phase: 'Pending' },
  });
  cluster.add(resources.persistentvolumeclaims, {
    metadata: { namespace: 'n', name: 'c' },
    spec: wanted,
    status: { phase: 'Pending' },
  });
  await clock.advance(10);
  const claim = cluster.get(resources.persistentvolumeclaims, { namespace: 'n', name: 'c' });
  expect(claim).toMatchObject({
    metadata: {
      annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' },
    },
    spec: { volumeName: 'v' },
    status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
  });
  expect(cluster.get(resources.persistentvolumes, { name: 'v' })).toMatchObject({
    metadata: { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
    spec: { claimRef: { kind: 'PersistentVolumeClaim', namespace: 'n', name: 'c', uid: claim?.metadata.uid } },
    status: { phase: 'Bound' },
  });
  const writes = cluster.actions.filter(({ resource }) => resource !== 'events');
  expect(writes.map(({ resource, subresource }) => `${resource}/${subresource}`)).toEqual([
    'persistentvolumes/status',
    'persistentvolumes/',
    'persistentvolumes/status',
    'persistentvolumeclaims/',
    'persistentvolumeclaims/status',
  ]);
  cluster.change<{ spec: object }>(resources.persistentvolumeclaims, { namespace: 'n', name: 'c' }, (one) => {
    one.spec = { ...one.spec, resources: { requests: { storage: '2Gi' } } };
  });
  await clock.advance(10);
  expect(events()).toEqual(['ExternalExpanding waiting for an external controller to expand this PVC']);
  cluster.remove(resources.persistentvolumeclaims, { namespace: 'n', name: 'c' });
  await clock.advance(10);
  expect(cluster.get(resources.persistentvolumes, { name: 'v' })?.status).toEqual({ phase: 'Released' });
  await stop();
});

test('directories of deleted claims go; what cannot be deleted says why once', async () => {
  const removed: string[] = [];
  const { cluster, clock, events, stop } = start(async (path) => void removed.push(path));
  const claimRef = { namespace: 'n', name: 'gone', uid: 'x' };
  for (const [name, path] of [
    ['a', '/tmp/a'],
    ['b', '/srv/b'],
  ]) {
    cluster.add(resources.persistentvolumes, {
      metadata: { name: name as string },
      spec: { ...spec, claimRef, hostPath: { path }, persistentVolumeReclaimPolicy: 'Delete' },
      status: { phase: 'Bound' },
    });
  }
  await clock.advance(60_000);
  expect(removed).toEqual(['/tmp/a']);
  expect(cluster.get(resources.persistentvolumes, { name: 'a' })).toBeUndefined();
  const message = 'host_path deleter only supports /tmp/.+ but received provided /srv/b';
  expect(cluster.get(resources.persistentvolumes, { name: 'b' })?.status).toEqual({ phase: 'Failed', message });
  expect(events()).toEqual([`VolumeFailedDelete ${message}`]);
  await stop();
});

test('a claim that waits is not written, and is served as soon as there is a volume', async () => {
  const { cluster, clock, stop } = start();
  cluster.add(resources.persistentvolumeclaims, {
    metadata: { namespace: 'n', name: 'c' },
    spec: wanted,
    status: { phase: 'Pending' },
  });
  await clock.advance(60_000);
  expect(cluster.actions.filter(({ resource }) => resource !== 'events')).toEqual([]);
  cluster.add(resources.persistentvolumes, { metadata: { name: 'v' }, spec, status: { phase: 'Pending' } });
  await clock.advance(10);
  expect(cluster.get(resources.persistentvolumeclaims, { namespace: 'n', name: 'c' })?.status?.phase).toBe('Bound');
  await stop();
});
