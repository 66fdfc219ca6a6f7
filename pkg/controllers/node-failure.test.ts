import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Lease, Node } from '../api/generated/types.ts';
import { newNodeLifecycleController } from './node-lifecycle/node-lifecycle-controller.ts';
import { newTaintEvictionController } from './taint-eviction/taint-eviction-controller.ts';
import { startControllers } from './testing.ts';

function setup() {
  const started = startControllers((deps) => [newNodeLifecycleController(deps), newTaintEvictionController(deps)]);
  const { cluster, clock } = started;
  const node = (name: string) => {
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({ type, status: 'False' }));
    cluster.add(resources.nodes, {
      metadata: { name },
      spec: {},
      status: { conditions: [...conditions, { type: 'Ready', status: 'True', lastTransitionTime }] },
    });
    cluster.add(resources.leases, { metadata: { namespace: 'kube-node-lease', name }, spec: { renewTime: '0' } });
  };
  const beat = (name: string) =>
    cluster.change<Lease>(resources.leases, { namespace: 'kube-node-lease', name }, (lease) => {
      lease.spec.renewTime = String(clock.now());
    });
  return {
    ...started,
    node,
    pod: (name: string, tolerationSeconds?: number) =>
      cluster.add(resources.pods, {
        metadata: { namespace: 'n', name },
        spec: {
          nodeName: 'a',
          containers: [],
          tolerations:
            tolerationSeconds === undefined
              ? []
              : [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds }],
        },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    /** Time passes while the named nodes report. */
    live: async (ms: number, ...names: string[]) => {
      for (let left = ms; left > 0; left -= 10_000) {
        names.forEach(beat);
        await clock.advance(10_000);
      }
    },
    taints: (name: string) =>
      (cluster.get(resources.nodes, { name })?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`),
    isDeleting: (name: string) =>
      cluster.get(resources.pods, { namespace: 'n', name })?.metadata.deletionTimestamp !== undefined,
  };
}

test('a silent node becomes unreachable, its pods are not ready and are evicted in time; then it is back', async () => {
  const { cluster, clock, node, pod, live, taints, isDeleting, events, stop } = setup();
  node('a');
  node('b');
  pod('stays', 300);
  pod('five', 5);
  await live(40_000, 'a', 'b');
  expect(cluster.actions.map(({ resource }) => resource)).toEqual(['events', 'events']);
  await live(60_000, 'b');
  expect(cluster.get(resources.nodes, { name: 'a' })?.status?.conditions).toMatchObject(
    ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    })),
  );
  expect(taints('a')).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'stays' })?.status?.conditions?.[0]?.status).toBe('False');
  expect([isDeleting('stays'), isDeleting('five')]).toEqual([false, true]);
  expect(cluster.get(resources.pods, { namespace: 'n', name: 'five' })?.status?.conditions?.[1]).toMatchObject({
    type: 'DisruptionTarget',
    reason: 'DeletionByTaintManager',
  });
  expect(events()).toContain('TaintManagerEviction Marking for deletion Pod n/five');
  expect(events()).toContain('NodeNotReady Node a status is now: NodeNotReady');
  const about = (reason: string) => cluster.list(resources.events).find((event) => event.reason === reason);
  expect(about('RegisteredNode')?.involvedObject.uid).toBe(cluster.get(resources.nodes, { name: 'a' })?.metadata.uid);
  expect(about('TaintManagerEviction')?.involvedObject).toMatchObject({ kind: 'Pod', name: 'five' });
  expect(about('TaintManagerEviction')?.involvedObject.resourceVersion).toBeUndefined();
  expect(events()).toContain('NodeNotReady Node is not ready');
  cluster.change<Node>(resources.nodes, { name: 'a' }, (object) => {
    for (const condition of object.status.conditions ?? []) {
      condition.status = condition.type === 'Ready' ? 'True' : 'False';
    }
  });
  await live(10_000, 'a', 'b');
  expect(taints('a')).toEqual([]);
  expect(events()).toContain('TaintManagerEviction Cancelling deletion of Pod n/stays');
  await clock.advance(1);
  await stop();
});

test.each([
  ['10 s', 10_000, { noticed: false, evicted: false }],
  ['60 s', 60_000, { noticed: true, evicted: false }],
  ['10 min', 600_000, { noticed: true, evicted: true }],
])('a link that is cut for %s', async (_, cutMs, { noticed, evicted }) => {
  const { cluster, clock, node, pod, live, taints, isDeleting, stop } = setup();
  node('a');
  node('b');
  pod('stays', 300);
  await live(40_000, 'a', 'b');
  await live(cutMs, 'b');
  expect([taints('a').length > 0, isDeleting('stays')]).toEqual([noticed, evicted]);
  // The link stands again: the kubelet goes on as if nothing had been.
  cluster.change<Node>(resources.nodes, { name: 'a' }, (object) => {
    for (const condition of object.status.conditions ?? [])
      condition.status = condition.type === 'Ready' ? 'True' : 'False';
  });
  await live(10_000, 'a', 'b');
  expect(taints('a')).toEqual([]);
  await live(600_000, 'a', 'b');
  expect([taints('a'), isDeleting('stays')]).toEqual([[], evicted]);
  await clock.advance(1);
  await stop();
});

test('a controller that stood still itself gives every node its time anew', async () => {
  const { clock, node, pod, live, taints, stop } = setup();
  node('a');
  node('b');
  pod('p');
  await live(40_000, 'a', 'b');
  clock.freeze(55_000);
  await clock.advance(1_000);
  expect(taints('a')).toEqual([]);
  // One of them does not come back.
  await live(40_000, 'b');
  expect(taints('a')).toEqual([]);
  await live(20_000, 'b');
  expect([taints('a').length, taints('b').length]).toEqual([2, 0]);
  await clock.advance(1);
  await stop();
});

test('when all nodes are silent nobody is evicted', async () => {
  const { node, pod, live, taints, isDeleting, stop } = setup();
  node('a');
  pod('p');
  await live(40_000, 'a');
  await live(100_000);
  expect(taints('a')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  expect(isDeleting('p')).toBe(false);
  await stop();
});

test('of two silent nodes the second has its pods evicted ten seconds later; none has where most are silent', async () => {
  const { clock, node, live, taints, stop } = setup();
  for (const name of ['a', 'b', 'c', 'd']) node(name);
  await live(20_000, 'a', 'b', 'c', 'd');
  await live(40_000, 'c', 'd');
  await clock.advance(10);
  const areEvicted = (): boolean[] =>
    ['a', 'b'].map((name) => taints(name).includes('node.kubernetes.io/unreachable:NoExecute'));
  expect(areEvicted()).toEqual([true, false]);
  await live(10_000, 'c', 'd');
  expect(areEvicted()).toEqual([true, true]);
  await live(100_000, 'd');
  expect(taints('c')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  await clock.advance(1);
  await stop();
});

test('the old names of labels follow the new ones', async () => {
  const { cluster, clock, node, live, stop } = setup();
  node('a');
  await live(10_000, 'a');
  cluster.change<Node>(resources.nodes, { name: 'a' }, (object) => {
    object.metadata.labels = {
      'kubernetes.io/os': 'linux',
      'beta.kubernetes.io/os': 'x',
      'kubernetes.io/arch': 'amd64',
    };
  });
  await clock.advance(10);
  expect(cluster.get(resources.nodes, { name: 'a' })?.metadata.labels).toMatchObject({
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': 'amd64',
  });
  await stop();
});

test('a cordoned node gets its taint', async () => {
  const { cluster, clock, node, live, taints, stop } = setup();
  node('a');
  await live(10_000, 'a');
  cluster.change<Node>(resources.nodes, { name: 'a' }, (object) => {
    object.spec.unschedulable = true;
  });
  await clock.advance(10);
  expect(taints('a')).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
  await stop();
});
