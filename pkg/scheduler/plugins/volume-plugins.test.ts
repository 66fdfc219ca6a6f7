import { afterAll, describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { nodeFixture as node, podFixture as pod, TestProfile } from '../testing/fixtures.ts';

const controller = new AbortController();
afterAll(() => controller.abort());

const ZONE = 'topology.kubernetes.io/zone';
const nodes = [node('a', { labels: { [ZONE]: 'z1' } }), node('b', { labels: { [ZONE]: 'z2' } })];

const using = (...names: string[]): Pod =>
  pod({ spec: { volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) } });

interface ClaimFixture {
  class?: string;
  volume?: string;
  modes?: string[];
  storage?: string;
  selectedNode?: string;
  status?: object;
}

function claim(api: FakeCluster, name: string, fixture: ClaimFixture = {}): void {
  const {
    class: storageClassName = 'wait',
    volume,
    modes = ['ReadWriteOnce'],
    storage = '1Gi',
    selectedNode,
  } = fixture;
  const annotations = {
    ...(volume === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' }),
    ...(selectedNode === undefined ? {} : { 'volume.kubernetes.io/selected-node': selectedNode }),
  };
  api.add(resources.persistentvolumeclaims, {
    metadata: { name, namespace: 'default', annotations },
    spec: { storageClassName, volumeName: volume, accessModes: modes, resources: { requests: { storage } } },
    status: fixture.status ?? { phase: volume === undefined ? 'Pending' : 'Bound' },
  });
}

function volume(api: FakeCluster, name: string, spec: object = {}, labels: Record<string, string> = {}): void {
  api.add(resources.persistentvolumes, {
    metadata: { name, labels },
    spec: { storageClassName: 'wait', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' }, ...spec },
    status: { phase: 'Available' },
  });
}

function storageClass(api: FakeCluster, name: string, fields: object = {}): void {
  api.add(resources.storageclasses, {
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
    ...fields,
  });
}

const onNode = (name: string): object => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }],
    },
  },
});

const none = (reason: string): string => `0/2 nodes are available: ${reason}.`;
const NO_VOLUME = none("2 node(s) didn't find available persistent volumes to bind");

describe('volumes', () => {
  test.each<[string, Pod, (api: FakeCluster) => void, string]>([
    ['a claim that does not exist', using('x'), () => {}, none('persistentvolumeclaim "x" not found')],
    [
      'a generic ephemeral volume that is not made yet',
      pod({ name: 'p', spec: { volumes: [{ name: 'v', ephemeral: {} }] } }),
      () => {},
      none('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'),
    ],
    [
      'a claim that lost its volume',
      using('x'),
      (api) => claim(api, 'x', { volume: 'gone', status: { phase: 'Lost' } }),
      none('persistentvolumeclaim "x" bound to non-existent persistentvolume "gone"'),
    ],
    [
      'an unbound claim that does not wait for a pod',
      using('x'),
      (api) => {
        storageClass(api, 'now', { volumeBindingMode: 'Immediate' });
        claim(api, 'x', { class: 'now' });
      },
      none('pod has unbound immediate PersistentVolumeClaims'),
    ],
    [
      'bound to a volume of one node',
      using('x'),
      (api) => {
        claim(api, 'x', { volume: 'pv' });
        volume(api, 'pv', onNode('b'));
      },
      'b',
    ],
    [
      'bound to a volume of no node',
      using('x'),
      (api) => {
        claim(api, 'x', { volume: 'pv' });
        volume(api, 'pv', onNode('c'));
      },
      none("2 node(s) didn't match PersistentVolume's node affinity"),
    ],
    [
      'bound to a volume that is gone',
      using('x'),
      (api) => claim(api, 'x', { volume: 'pv' }),
      none('2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'),
    ],
    [
      'waits: nothing to bind',
      using('x'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x');
      },
      NO_VOLUME,
    ],
    [
      'waits: a local volume',
      using('x'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x');
        volume(api, 'pv', onNode('b'));
      },
      'b',
    ],
    [
      'waits: two claims need two volumes',
      using('x', 'y'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x');
        claim(api, 'y');
        volume(api, 'pv', onNode('b'));
      },
      NO_VOLUME,
    ],
    [
      'waits: the volume is too small',
      using('x'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x', { storage: '6Gi' });
        volume(api, 'pv');
      },
      NO_VOLUME,
    ],
    [
      "waits: the volume is another claim's",
      using('x'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x');
        volume(api, 'pv', { claimRef: { namespace: 'default', name: 'y' } });
      },
      NO_VOLUME,
    ],
    [
      'waits: the volume is reserved for it',
      using('x'),
      (api) => {
        storageClass(api, 'wait');
        claim(api, 'x');
        volume(api, 'pv', { ...onNode('b'), claimRef: { namespace: 'default', name: 'x' } });
      },
      'b',
    ],
    [
      'waits: a provisioner for one zone',
      using('x'),
      (api) => {
        const topology = { matchLabelExpressions: [{ key: ZONE, values: ['z2'] }] };
        storageClass(api, 'wait', { provisioner: 'example.com/csi', allowedTopologies: [topology] });
        claim(api, 'x');
      },
      'b',
    ],
    [
      'waits: a node was chosen before',
      using('x'),
      (api) => {
        storageClass(api, 'wait', { provisioner: 'example.com/csi' });
        claim(api, 'x', { selectedNode: 'b' });
      },
      'b',
    ],
    [
      'waits: the driver has no room',
      using('x'),
      (api) => {
        storageClass(api, 'wait', { provisioner: 'example.com/csi' });
        api.add(resources.csidrivers, { metadata: { name: 'example.com/csi' }, spec: { storageCapacity: true } });
        api.add(resources.csistoragecapacities, {
          metadata: { name: 'c', namespace: 'default' },
          storageClassName: 'wait',
          capacity: '500Mi',
          nodeTopology: {},
        });
        claim(api, 'x');
      },
      none('2 node(s) did not have enough free storage'),
    ],
    [
      'a volume of a zone',
      using('x'),
      (api) => {
        claim(api, 'x', { volume: 'pv' });
        volume(api, 'pv', {}, { [ZONE]: 'z2__z3' });
      },
      'b',
    ],
    [
      'a volume of another zone',
      using('x'),
      (api) => {
        claim(api, 'x', { volume: 'pv' });
        volume(api, 'pv', {}, { 'failure-domain.beta.kubernetes.io/zone': 'z9' });
      },
      none('2 node(s) had no available volume zone'),
    ],
  ])('%s', async (_name, wanted, objects, expected) => {
    const profile = (await TestProfile.create(controller.signal, {}, objects)).nodes(...nodes);
    expect(profile.outcome(wanted)).toBe(expected);
  });

  test('a ReadWriteOncePod claim is used by one pod', async () => {
    const profile = await TestProfile.create(controller.signal, {}, (api) => {
      claim(api, 'x', { volume: 'pv', modes: ['ReadWriteOncePod'] });
      volume(api, 'pv');
    });
    profile.nodes(...nodes);
    const user = using('x');
    profile.place('a', user);
    expect(profile.outcome(using('x'))).toBe(
      none('2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'),
    );
    profile.cluster.removePod(user.metadata.uid);
    expect(profile.outcome(using('x'))).toBe('a');
  });

  test('a disk that two pods cannot use on one node', async () => {
    const profile = (await TestProfile.create(controller.signal)).nodes(...nodes);
    const disk = (readOnly: boolean): Pod =>
      pod({ spec: { volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'd', readOnly } }] } });
    profile.place('a', disk(true)).place('b', disk(false));
    expect(profile.outcome(disk(false))).toBe(none('2 node(s) had no available disk'));
    expect(profile.outcome(disk(true))).toBe('a');
  });

  test('a node attaches no more volumes of a driver than it can', async () => {
    const csi = (volumeHandle: string): object => ({ csi: { driver: 'example.com/csi', volumeHandle } });
    const profile = await TestProfile.create(controller.signal, {}, (api) => {
      for (const name of ['x', 'y', 'z']) {
        claim(api, name, { volume: name });
        volume(api, name, csi(name));
      }
      for (const name of ['a', 'b']) {
        api.add(resources.csinodes, {
          metadata: { name },
          spec: { drivers: [{ name: 'example.com/csi', nodeID: name, allocatable: { count: name === 'a' ? 1 : 2 } }] },
        });
      }
      api.add(resources.volumeattachments, {
        metadata: { name: 'att' },
        spec: { attacher: 'example.com/csi', nodeName: 'b', source: { persistentVolumeName: 'z' } },
      });
    });
    profile.nodes(...nodes).place('a', using('x'));
    // On `a` x is attached, on `b` z still is.
    expect(profile.outcome(using('y'))).toBe('b');
    expect(profile.outcome(using('x', 'y'))).toBe(none('2 node(s) exceed max volume count'));
  });
});
