import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newStatus, StatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Node, PersistentVolumeClaim, Pod } from '../api/generated/types.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics, type Metrics } from '../base/metrics.ts';
import { createEventSeriesRecorder, createInformers, type EventRecorder } from '../client/index.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { createScheduler } from './index.ts';

let clock: FakeClock;
let cluster: FakeCluster;
let metrics: Metrics;
let stop: () => Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  cluster = new FakeCluster({ clock });
  metrics = createMetrics();
  const deps = { client: cluster.client, clock, logger: silentLogger };
  const informers = createInformers(cluster.client, { clock, logger: silentLogger, random: () => 0 });
  const recorderFor = (reportingController: string): EventRecorder =>
    createEventSeriesRecorder({ reportingController, reportingInstance: `${reportingController}-host` }, deps);
  const scheduler = createScheduler({ ...deps, informers, recorderFor, metrics, random: () => 0.5 });
  const controller = new AbortController();
  const running = [informers, scheduler].map((component) => component.run(controller.signal, () => {}));
  stop = async () => {
    controller.abort();
    await Promise.all(running);
  };
  await clock.advance(1);
});
afterEach(() => stop());

const node = (name: string, cpu: string, spec: object = {}): void => {
  cluster.add(resources.nodes, {
    metadata: { name },
    spec,
    status: { allocatable: { cpu, memory: '8Gi', pods: '10' } },
  });
};
const pod = (name: string, cpu: string, spec: object = {}): void => {
  cluster.add(resources.pods, {
    metadata: { name, namespace: 'a' },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'c', resources: { requests: { cpu } } }],
      ...spec,
    },
    status: { phase: 'Pending' },
  });
};
const get = (name: string): Pod => cluster.get<Pod>(resources.pods, { namespace: 'a', name }) as Pod;
const nodeOf = (name: string): string | undefined => get(name).spec.nodeName;
const eventsOf = (name: string): string[] =>
  cluster
    .list(resources.events)
    .filter((event) => event.involvedObject.name === name)
    .map((event) => `${event.type} ${event.reason} ${event.message}`);

describe('scheduler', () => {
  test('binds a pod and says so', async () => {
    node('n1', '2');
    pod('p', '1');
    await clock.advance(1);
    expect(nodeOf('p')).toBe('n1');
    expect(eventsOf('p')).toEqual(['Normal Scheduled Successfully assigned a/p to n1']);
  });

  test("metrics by upstream's names", async () => {
    node('n1', '2');
    pod('p', '1');
    pod('big', '3');
    await clock.advance(1);
    const text = await metrics.metrics();
    for (const line of [
      'scheduler_schedule_attempts_total{result="scheduled",profile="default-scheduler"} 1',
      'scheduler_schedule_attempts_total{result="unschedulable",profile="default-scheduler"} 1',
      'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"} 1',
      'scheduler_pending_pods{queue="unschedulable"} 1',
      'scheduler_queue_incoming_pods_total{event="PodAdd",queue="active"} 2',
      'scheduler_preemption_attempts_total 1',
      'scheduler_pod_scheduling_attempts_count 1',
      'scheduler_scheduling_algorithm_duration_seconds_count 2',
      'scheduler_cache_size{type="nodes"} 1',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('does not overcommit with pods that are only assumed', async () => {
    node('n1', '2');
    for (const name of ['p1', 'p2', 'p3']) pod(name, '1');
    await clock.advance(1);
    expect(['p1', 'p2', 'p3'].filter((name) => nodeOf(name) === 'n1')).toHaveLength(2);
  });

  test('says why a pod does not fit, once, and tries again when a node that helps comes', async () => {
    node('n1', '1');
    pod('big', '3');
    await clock.advance(1);
    const condition = get('big').status.conditions?.find(({ type }) => type === 'PodScheduled');
    expect(condition).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    });
    expect(eventsOf('big')).toEqual([`Warning FailedScheduling ${condition?.message}`]);
    const writes = cluster.actions.length;
    node('small', '2');
    await clock.advance(60_000);
    expect(cluster.actions.length).toBe(writes);
    node('n2', '4');
    await clock.advance(60_000);
    expect(nodeOf('big')).toBe('n2');
  });

  test('a deleted pod makes room', async () => {
    node('n1', '1');
    pod('first', '1');
    await clock.advance(1);
    pod('second', '1');
    await clock.advance(1);
    expect(nodeOf('second')).toBeUndefined();
    cluster.remove(resources.pods, { namespace: 'a', name: 'first' });
    await clock.advance(15_000);
    expect(nodeOf('second')).toBe('n1');
  });

  test('an uncordoned node takes the waiting pod', async () => {
    node('n1', '1', { unschedulable: true });
    pod('p', '1');
    await clock.advance(1);
    expect(eventsOf('p')[0]).toContain('1 node(s) were unschedulable');
    cluster.change<Node>(resources.nodes, { name: 'n1' }, (object) => {
      object.spec = {};
    });
    await clock.advance(15_000);
    expect(nodeOf('p')).toBe('n1');
  });

  test('gated pods wait for the last gate; pods of other schedulers are left alone', async () => {
    node('n1', '4');
    pod('gated', '1', { schedulingGates: [{ name: 'g' }] });
    pod('foreign', '1', { schedulerName: 'other' });
    await clock.advance(60_000);
    expect([nodeOf('gated'), nodeOf('foreign')]).toEqual([undefined, undefined]);
    cluster.change<Pod>(resources.pods, { namespace: 'a', name: 'gated' }, (object) => {
      object.spec.schedulingGates = [];
    });
    await clock.advance(1);
    expect(nodeOf('gated')).toBe('n1');
  });

  test('a binding that fails is tried again after a back-off', async () => {
    cluster.fail(
      ({ subresource }) => subresource === 'binding',
      new StatusError(newStatus(500, 'InternalError', 'broken')),
    );
    node('n1', '1');
    pod('p', '1');
    await clock.advance(1);
    expect(nodeOf('p')).toBeUndefined();
    await clock.advance(2000);
    expect(nodeOf('p')).toBe('n1');
  });

  test('a binding that the API server has done although it failed is believed', async () => {
    node('n1', '1');
    const { request } = cluster;
    cluster.request = async (call) => {
      const answer = await request.call(cluster, call);
      if (call.subresource === 'binding') throw new StatusError(newStatus(504, 'Timeout', 'too late'));
      return answer;
    };
    pod('p', '1');
    await clock.advance(1);
    cluster.request = request;
    pod('second', '1');
    await clock.advance(20_000);
    expect([nodeOf('p'), nodeOf('second')]).toEqual(['n1', undefined]);
    expect(cluster.actions.filter(({ subresource }) => subresource === 'binding')).toHaveLength(1);
  });

  test('higher priority goes first', async () => {
    pod('low', '1', { priority: 0 });
    pod('high', '1', { priority: 100 });
    await clock.advance(1);
    node('n1', '1');
    await clock.advance(15_000);
    expect([nodeOf('low'), nodeOf('high')]).toEqual([undefined, 'n1']);
  });

  test('a cluster without nodes', async () => {
    pod('p', '1');
    await clock.advance(1);
    expect(eventsOf('p')).toEqual(['Warning FailedScheduling no nodes available to schedule pods']);
    node('n1', '1');
    await clock.advance(1);
    expect(nodeOf('p')).toBe('n1');
  });

  test('room is made for a more important pod, and it gets it once its victim is gone', async () => {
    node('n1', '2');
    pod('low', '2', { priority: 1, terminationGracePeriodSeconds: 30 });
    await clock.advance(1);
    pod('high', '2', { priority: 10 });
    for (let turn = 0; turn < 3; turn++) await clock.advance(1);
    expect(get('high').status).toMatchObject({
      nominatedNodeName: 'n1',
      conditions: [{ message: '0/1 nodes are available: 1 Insufficient cpu.' }],
    });
    expect(get('low').metadata.deletionTimestamp).toBeDefined();
    expect(get('low').status.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      reason: 'PreemptionByScheduler',
    });
    expect(eventsOf('low')).toContain(`Normal Preempted Preempted by pod ${get('high').metadata.uid} on node n1`);
    // What is less important does not get the room meanwhile, and nothing is written again and again.
    pod('medium', '2', { priority: 5 });
    await clock.advance(1);
    const writes = cluster.actions.length;
    await clock.advance(20_000);
    expect(cluster.actions.length).toBe(writes);
    cluster.remove(resources.pods, { namespace: 'a', name: 'low' });
    await clock.advance(1000);
    expect([nodeOf('high'), nodeOf('medium')]).toEqual(['n1', undefined]);
  });

  test('a nominated pod that goes gives its room to others', async () => {
    node('n1', '4');
    pod('low', '3', { priority: 1, terminationGracePeriodSeconds: 30 });
    await clock.advance(1);
    pod('high', '3', { priority: 10 });
    await clock.advance(1);
    pod('small', '1', { priority: 5 });
    await clock.advance(1);
    expect([get('high').status.nominatedNodeName, nodeOf('small')]).toEqual(['n1', undefined]);
    cluster.remove(resources.pods, { namespace: 'a', name: 'high' });
    await clock.advance(1000);
    expect(nodeOf('small')).toBe('n1');
  });

  test('a nomination is taken back when nothing helps any more', async () => {
    node('n1', '2');
    pod('low', '2', { priority: 1, terminationGracePeriodSeconds: 30 });
    await clock.advance(1);
    pod('high', '2', { priority: 10 });
    await clock.advance(1);
    cluster.change<Node>(resources.nodes, { name: 'n1' }, (object) => {
      object.spec = { unschedulable: true };
    });
    cluster.remove(resources.pods, { namespace: 'a', name: 'low' });
    await clock.advance(15_000);
    expect(get('high').status.nominatedNodeName).toBeUndefined();
    expect(nodeOf('high')).toBeUndefined();
  });

  test('a claim that waits for its pod: the node is named, and the pod bound once the claim is', async () => {
    node('n1', '2');
    cluster.add(resources.storageclasses, {
      metadata: { name: 'wait' },
      provisioner: 'example.com/csi',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    cluster.add(resources.persistentvolumeclaims, {
      metadata: { name: 'c', namespace: 'a' },
      spec: { storageClassName: 'wait', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Pending' },
    });
    pod('p', '1', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] });
    await clock.advance(1);
    const key = { namespace: 'a', name: 'c' };
    const claim = cluster.get(resources.persistentvolumeclaims, key);
    expect(claim?.metadata.annotations).toEqual({ 'volume.kubernetes.io/selected-node': 'n1' });
    expect(nodeOf('p')).toBeUndefined();
    cluster.add(resources.persistentvolumes, { metadata: { name: 'pv' }, spec: {}, status: { phase: 'Bound' } });
    cluster.change<PersistentVolumeClaim>(resources.persistentvolumeclaims, key, (object) => {
      object.metadata.annotations = { ...object.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' };
      object.spec.volumeName = 'pv';
    });
    await clock.advance(1);
    expect(nodeOf('p')).toBe('n1');
  });

  test('a provisioner that gives the node back: said, and tried again', async () => {
    node('n1', '2');
    cluster.add(resources.storageclasses, {
      metadata: { name: 'wait' },
      provisioner: 'example.com/csi',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    cluster.add(resources.persistentvolumeclaims, {
      metadata: { name: 'c', namespace: 'a' },
      spec: { storageClassName: 'wait', resources: { requests: { storage: '1Gi' } } },
    });
    pod('p', '1', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] });
    await clock.advance(1);
    const key = { namespace: 'a', name: 'c' };
    cluster.change<PersistentVolumeClaim>(resources.persistentvolumeclaims, key, (object) => {
      delete object.metadata.annotations;
    });
    await clock.advance(1);
    expect(eventsOf('p')).toEqual([
      'Warning FailedScheduling running PreBind plugin "VolumeBinding": selectedNode annotation reset for PVC "c"',
    ]);
    await clock.advance(2000);
    const claim = cluster.get(resources.persistentvolumeclaims, key);
    expect(claim?.metadata.annotations).toEqual({ 'volume.kubernetes.io/selected-node': 'n1' });
  });

  test('a volume that is there is reserved for the claim', async () => {
    node('n1', '2');
    cluster.add(resources.storageclasses, {
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    cluster.add(resources.persistentvolumes, {
      metadata: { name: 'pv' },
      spec: { storageClassName: 'local', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
      status: { phase: 'Available' },
    });
    for (const name of ['c1', 'c2']) {
      cluster.add(resources.persistentvolumeclaims, {
        metadata: { name, namespace: 'a' },
        spec: {
          storageClassName: 'local',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      });
      pod(`p-${name}`, '1', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] });
    }
    await clock.advance(1);
    const volume = cluster.get(resources.persistentvolumes, { name: 'pv' });
    expect(volume?.spec.claimRef).toMatchObject({ kind: 'PersistentVolumeClaim', namespace: 'a', name: 'c1' });
    expect(eventsOf('p-c2')[0]).toContain("1 node(s) didn't find available persistent volumes to bind");
  });
});

describe('devices', () => {
  const claimed = (name: string) => ({ resourceClaims: [{ name: 'gpu', resourceClaimName: name }] });
  const claim = (name: string): void => {
    const requests = [{ name: 'r', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 } }];
    const metadata = { name, namespace: 'a', uid: name };
    cluster.add(resources.resourceclaims, { metadata, spec: { devices: { requests } }, status: {} });
  };

  test('pods get theirs, and wait for those that others have', async () => {
    node('n', '4');
    cluster.add(resources.deviceclasses, { metadata: { name: 'gpu' }, spec: {} });
    cluster.add(resources.resourceslices, {
      metadata: { name: 's' },
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'n',
        pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'x' }],
      },
    });
    claim('one');
    pod('first', '1', claimed('one'));
    await expect.poll(() => nodeOf('first')).toBe('n');
    // Its claim comes later.
    pod('second', '1', claimed('two'));
    await clock.advance(10);
    expect(nodeOf('second')).toBeUndefined();
    claim('two');
    await expect
      .poll(() => eventsOf('second'))
      .toEqual([
        'Warning FailedScheduling 0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      ]);
    cluster.remove(resources.resourceclaims, { namespace: 'a', name: 'one' });
    await clock.advance(1_000);
    await expect.poll(() => nodeOf('second')).toBe('n');
  });
});
