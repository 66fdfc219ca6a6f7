import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { KubeletContext } from '../context.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import { KubeletMetrics } from '../stats/kubelet-metrics.ts';
import type { Pod } from '../types.ts';
import { EvictionManager } from './eviction-manager.ts';
import { NodePressure } from './node-pressure.ts';
import { evictionThresholds } from './settings.ts';

const signal = new AbortController().signal;
const MiB = 2 ** 20;

function pod(uid: string, more: object = {}): Pod {
  const metadata = { namespace: 'ns', name: uid, uid };
  return { metadata, spec: { containers: [{ name: 'main' }], ...more } } as unknown as Pod;
}

/** Stats of one container a pod: its memory and its writable layer, in MiB. */
function setUp(
  flags: Partial<Parameters<typeof evictionThresholds>[0]>,
  pods: readonly Pod[],
  used: Record<string, [memory: number, disk: number]>,
) {
  const clock = new FakeClock();
  const pressure = new NodePressure();
  const events: string[] = [];
  const evicted = new Map<string, PodFailure>();
  let reclaimed = 0;
  let discarded = 0;
  const stats = Object.entries(used).map(([uid, [memory, disk]]) => ({
    attributes: { labels: { 'io.kubernetes.pod.uid': uid, 'io.kubernetes.container.name': 'main' } },
    memory: { workingSetBytes: { value: memory * MiB } },
    writableLayer: { usedBytes: { value: disk * MiB }, inodesUsed: { value: 1 } },
  }));
  const context = {
    options: { nodeName: 'n1', rootDir: tmpdir(), podLogsDir: '/nonexistent' },
    machine: { cgroupVersion: 2 },
    cgroups: { path: () => '' },
    volumes: { emptyDirPath: () => '/nonexistent' },
    pressure,
    metrics: new KubeletMetrics('n'),
    deps: {
      clock,
      logger: silentLogger,
      cri: { runtime: { listContainerStats: async () => stats } },
      recorder: { event: (_: object, type: string, reason: string) => events.push(`${type} ${reason}`) },
    },
  } as unknown as KubeletContext;
  const thresholds = evictionThresholds({ hard: [], soft: [], softGracePeriod: [], minimumReclaim: [], ...flags });
  const manager = new EvictionManager(
    { thresholds, transitionPeriodMs: 300_000, maxPodGraceSeconds: 7 },
    {
      context,
      pods: {
        activePods: () => pods.filter(({ metadata }) => !evicted.has(metadata.uid)).values(),
        evict: async (uid, failure) => evicted.set(uid, failure).has(uid),
        discardEnded: async () => {
          discarded++;
          throw new Error('the runtime is busy');
        },
      },
      images: {
        directory: async () => tmpdir(),
        removeUnused: async () => {
          reclaimed++;
        },
      },
    },
  );
  return { manager, clock, pressure, events, evicted, reclaimed: () => [discarded, reclaimed] };
}

test('a hard threshold ends one pod at a time, the greediest first', async () => {
  const pods = [pod('small'), pod('large'), pod('critical', { priority: 2_000_001_000 })];
  const used = { small: [1, 0], large: [9, 0], critical: [99, 0] } as Record<string, [number, number]>;
  const { manager, pressure, evicted, events } = setUp({ hard: ['memory.available<99.99%'] }, pods, used);
  await manager.check(signal);
  expect([...evicted.keys()]).toEqual(['large']);
  expect(evicted.get('large')).toMatchObject({
    reason: 'Evicted',
    graceSeconds: 1,
    annotations: { offending_containers: 'main', offending_containers_usage: '9Mi', starved_resource: 'memory' },
    condition: { type: 'DisruptionTarget', reason: 'TerminationByKubelet' },
  });
  expect(events).toEqual(['Warning EvictionThresholdMet']);
  expect([...pressure.types]).toEqual(['MemoryPressure']);
  await manager.check(signal);
  await manager.check(signal);
  expect([...evicted.keys()]).toEqual(['large', 'small']);
});

test('a soft threshold waits for its grace period', async () => {
  const soft = ['memory.available<99.99%'];
  const { manager, clock, evicted } = setUp({ soft, softGracePeriod: ['memory.available=1m'] }, [pod('a')], {});
  await manager.check(signal);
  await clock.advance(59_000);
  await manager.check(signal);
  expect(evicted.size).toBe(0);
  await clock.advance(1_000);
  await manager.check(signal);
  expect(evicted.get('a')?.graceSeconds).toBe(7);
});

test('on a full disk images go before pods', async () => {
  const { manager, evicted, reclaimed } = setUp({ hard: ['nodefs.available<99.99%'] }, [pod('a')], { a: [0, 5] });
  await manager.check(signal);
  expect(reclaimed()).toEqual([1, 1]);
  expect(evicted.get('a')?.message).toMatch(/^The node was low on resource: ephemeral-storage\. /);
});

test('limits of local storage come first, and need no threshold', async () => {
  const resources = { limits: { 'ephemeral-storage': '1Mi' } };
  const limited = pod('limited', { containers: [{ name: 'main', resources }] });
  const { manager, evicted, pressure } = setUp({}, [limited, pod('free')], { limited: [0, 2], free: [0, 200] });
  await manager.check(signal);
  expect([...evicted]).toEqual([
    [
      'limited',
      {
        reason: 'Evicted',
        message: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
        graceSeconds: 1,
      },
    ],
  ]);
  expect(pressure.types.size).toBe(0);
});

test('under memory pressure only pods with requests, tolerations or great importance come', () => {
  const pressure = new NodePressure();
  const requests = { containers: [{ name: 'main', resources: { requests: { memory: '1Mi' } } }] };
  const tolerations = [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }];
  expect(pressure.refusal(pod('a'))).toBeUndefined();
  pressure.set(new Set(['MemoryPressure']));
  expect(pressure.refusal(pod('a'))?.message).toBe('The node had condition: [MemoryPressure]. ');
  for (const spec of [requests, { tolerations }, { priority: 2_000_000_000 }]) {
    expect(pressure.refusal(pod('a', spec))).toBeUndefined();
  }
  pressure.set(new Set(['MemoryPressure', 'DiskPressure']));
  expect(pressure.refusal(pod('a', requests))?.message).toBe('The node had condition: [DiskPressure MemoryPressure]. ');
});
