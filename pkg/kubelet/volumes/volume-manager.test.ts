import { access, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { systemClock } from '../../base/clock.ts';
import type { Exec } from '../../base/exec.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import type { Pod } from '../types.ts';
import type { VolumeDeps } from './volume.ts';
import { VolumeManager } from './volume-manager.ts';

let dir: string;
let cluster: FakeCluster;
let manager: VolumeManager;
const commands: string[] = [];
const operations: string[] = [];
const exec: Exec = {
  async run(command, args) {
    commands.push([command, ...args].join(' '));
    return { code: 0, stdout: '', stderr: '' };
  },
};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'volumes-'));
  cluster = new FakeCluster();
  operations.length = 0;
  manager = new VolumeManager(
    { podsDir: join(dir, 'pods'), memoryPodsDir: join(dir, 'run') },
    {
      clock: systemClock,
      metrics: {
        operation: (plugin, operation, _, failed) =>
          operations.push(`${plugin} ${operation}${failed ? ' failed' : ''}`),
      },
    },
  );
  commands.length = 0;
});
afterEach(() => rm(dir, { recursive: true }));

const deps = (): VolumeDeps => ({
  object: async () => undefined,
  client: cluster.client,
  node: () => ({ metadata: { name: 'n1', labels: { zone: 'a' } } }) as never,
  tokens: { token: async () => ({ token: 't', refreshAtMs: 0 }), release: () => {} },
  clock: systemClock,
  exec,
  context: { hostIPs: [], podIPs: [], allocatable: {} },
});

function pod(uid: string, volumes: object[], spec: object = {}): Pod {
  return {
    metadata: { namespace: 'ns', name: uid, uid },
    spec: { containers: [{ name: 'main' }], volumes, ...spec },
  } as unknown as Pod;
}

function addClaim(name: string, source: object, spec: object = {}, status: object = { phase: 'Bound' }): void {
  const volumeName = `pv-${name}`;
  const claim = { metadata: { namespace: 'ns', name, uid: `uid-${name}` }, spec: { volumeName }, status };
  cluster.add(resources.persistentvolumeclaims, claim);
  const { uid } = claim.metadata;
  cluster.add(resources.persistentvolumes, {
    metadata: { name: volumeName },
    spec: { claimRef: { namespace: 'ns', name, uid }, ...source, ...spec },
  } as never);
}

const claimed = (name: string, more: object = {}): object => ({
  name: 'data',
  persistentVolumeClaim: { claimName: name, ...more },
});

test('a claim leads to the directory of its hostPath volume', async () => {
  addClaim('c', { hostPath: { path: join(dir, 'made'), type: 'DirectoryOrCreate' } });
  const { mounted, failures } = await manager.setUp(pod('u', [claimed('c', { readOnly: true })]), deps());
  expect(failures).toEqual([]);
  expect(mounted.get('data')).toEqual({ hostPath: join(dir, 'made'), readOnly: true });
  await manager.tearDown('u', exec);
  await access(join(dir, 'made'));
});

test('what is done with volumes is told of once: to bring files up to date is done anew each time', async () => {
  addClaim('c', { local: { path: dir } });
  const volumes = [
    { name: 'empty', emptyDir: {} },
    { name: 'names', downwardAPI: { items: [] } },
    { name: 'secret', secret: { secretName: 'absent' } },
    claimed('c'),
  ];
  await manager.setUp(pod('u', volumes), deps());
  expect(operations.toSorted()).toEqual([
    'kubernetes.io/downward-api volume_mount',
    'kubernetes.io/empty-dir volume_mount',
    'kubernetes.io/local-volume volume_mount',
    'kubernetes.io/secret volume_mount failed',
  ]);
  const mounted = ['kubernetes.io/downward-api', 'kubernetes.io/empty-dir', 'kubernetes.io/local-volume'];
  const { desired, actual } = manager.counts();
  expect([...desired.keys()].sort()).toEqual([...mounted, 'kubernetes.io/secret']);
  expect([...actual.entries()].sort()).toEqual(mounted.map((plugin) => [plugin, 1]));
  operations.length = 0;
  await manager.setUp(pod('u', volumes.slice(0, 2)), deps());
  expect(operations).toEqual(['kubernetes.io/downward-api volume_mount']);
  operations.length = 0;
  await manager.tearDown('u', exec);
  expect(operations.toSorted()).toEqual(mounted.map((plugin) => `${plugin} volume_unmount`));
  expect(manager.counts()).toEqual({ desired: new Map(), actual: new Map() });
  operations.length = 0;
  await manager.tearDown('u', exec);
  expect(operations).toEqual([]);
});

test('a local volume is given to the fsGroup', async () => {
  addClaim('c', { local: { path: join(dir) } });
  const spec = { securityContext: { fsGroup: 4321, fsGroupChangePolicy: 'OnRootMismatch' } };
  const { mounted } = await manager.setUp(pod('u', [claimed('c')], spec), deps());
  expect(mounted.get('data')).toEqual({ hostPath: dir });
  expect((await stat(dir)).gid).toBe(4321);
});

test('a claim that was made for a pod belongs to it', async () => {
  addClaim('u-data', { hostPath: { path: dir } });
  const { failures } = await manager.setUp(pod('u', [{ name: 'data', ephemeral: {} }]), deps());
  expect(failures[0]).toMatch(
    /: error processing PVC ns\/u-data: PVC .* was not created for pod ns\/u \(pod is not owner\)$/,
  );
  cluster.change(resources.persistentvolumeclaims, { namespace: 'ns', name: 'u-data' }, (claim) => {
    claim.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'u', uid: 'u', controller: true }];
  });
  expect((await manager.setUp(pod('u', [{ name: 'data', ephemeral: {} }]), deps())).failures).toEqual([]);
});

test('ReadWriteOncePod keeps a second pod out until the first is gone', async () => {
  addClaim('c', { hostPath: { path: dir } }, { accessModes: ['ReadWriteOncePod'] });
  expect((await manager.setUp(pod('u1', [claimed('c')]), deps())).failures).toEqual([]);
  expect((await manager.setUp(pod('u1', [claimed('c')]), deps())).failures).toEqual([]);
  const text = 'volume uses the ReadWriteOncePod access mode and is already in use by another pod';
  expect((await manager.setUp(pod('u2', [claimed('c')]), deps())).failures).toEqual([
    `MountVolume.SetUp failed for volume "pv-c" : ${text}`,
  ]);
  await manager.tearDown('u1', exec);
  expect((await manager.setUp(pod('u2', [claimed('c')]), deps())).failures).toEqual([]);
});

const lost = (why: string): string =>
  `Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: ${why}`;

test.each<[string, object, object, object, string]>([
  [
    'unbound',
    { hostPath: { path: '/' } },
    {},
    { phase: 'Pending' },
    lost('error processing PVC ns/c: PVC is not bound'),
  ],
  [
    'of a kind that the node has not',
    { iscsi: {} },
    { accessModes: [] },
    { phase: 'Bound' },
    lost(
      'failed to get Plugin from volumeSpec for volume "pv-c" err=no volume plugin matched: this node has none for volumes iscsi',
    ),
  ],
  [
    'local, without directory',
    { local: { path: '/nowhere' } },
    {},
    { phase: 'Bound' },
    'MountVolume.NewMounter initialization failed for volume "pv-c" : path "/nowhere" does not exist',
  ],
  [
    'local to another node',
    { local: { path: '/' } },
    {
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] }] },
      },
    },
    { phase: 'Bound' },
    'MountVolume.NodeAffinity check failed for volume "pv-c" : no matching NodeSelectorTerms',
  ],
  [
    'claimed by somebody else',
    { hostPath: { path: '/' } },
    { claimRef: { uid: 'other' } },
    { phase: 'Bound' },
    lost(
      'error processing PVC ns/c: found PV object pv-c but its pv.Spec.ClaimRef.UID other does not point to claim.UID uid-c',
    ),
  ],
])('a volume that is %s is refused by name', async (_, source, spec, status, expected) => {
  addClaim('c', source, spec, status);
  expect((await manager.setUp(pod('u', [claimed('c')]), deps())).failures).toEqual([expected]);
});

test('a claim that is not there', async () => {
  const { failures } = await manager.setUp(pod('u', [claimed('none')]), deps());
  const why = 'failed to fetch PVC from API server: persistentvolumeclaims "none" not found';
  expect(failures).toEqual([lost(`error processing PVC ns/none: ${why}`)]);
});

test('volumes in memory are as large as the least of the limits', async () => {
  const volume = { name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '3Mi' } };
  await manager.setUp(pod('u', [volume]), deps());
  const limited = { containers: [{ name: 'main', resources: { limits: { memory: '1Mi' } } }] };
  await manager.setUp(pod('v', [volume], limited), deps());
  expect(commands.map((command) => command.replace(/ \/.*/, ''))).toEqual([
    'mount -t tmpfs -o size=3145728 tmpfs',
    'mount -t tmpfs -o size=1048576 tmpfs',
  ]);
});
