import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { ManagerMetrics } from '../stats/manager-metrics.ts';
import type { NUMANode } from '../topology/machine-layout.ts';
import type { TopologyPolicy } from '../topology/merge.ts';
import { TopologyManager } from '../topology/topology-manager.ts';
import type { Pod } from '../types.ts';
import { restoreMemoryState } from './memory-state.ts';
import { type ReservedMemory, StaticMemory } from './static-memory.ts';

const MiB = 2 ** 20;
/** Two nodes of 100 MiB each, 10 MiB of them in huge pages. */
const nodes: NUMANode[] = [0, 1].map((id) => ({
  id,
  memoryBytes: 100 * MiB,
  hugepages: new Map([['2Mi', 10 * MiB]]),
  distances: [10, 20],
}));
/** 10 MiB of node 0 are kept: 80 are left there, 90 on node 1. */
const reserved: ReservedMemory = new Map([[0, new Map([['memory', 10 * MiB]])]]);

let dir: string;
let here: Set<string>;
let memory: StaticMemory;
let manager: TopologyManager;

async function start(policy: TopologyPolicy = 'none', kept = reserved): Promise<void> {
  const file = new CheckpointFile(join(dir, 'memory_manager_state'));
  const measure = new ManagerMetrics(new Registry());
  memory = new StaticMemory(nodes, kept, { file, hasPod: (uid) => here.has(uid), measure });
  memory.restore(await restoreMemoryState(file, 'Static'));
  await memory.saved();
  manager = new TopologyManager(
    { policy, scope: 'container', nodes: [0, 1] },
    { providers: [memory], measure, monotonic: () => 0, logger: silentLogger },
  );
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-memory-'));
  here = new Set();
});
afterEach(() => rm(dir, { recursive: true }));

/** Mebibytes, and those in huge pages; a name that begins with `init` is an init container, one with `side` a sidecar. */
function pod(uid: string, amounts: Readonly<Record<string, number | readonly [number, number]>>): Pod {
  const container = ([name, amount]: [string, number | readonly [number, number]]): object => {
    const [plain, pages] = typeof amount === 'number' ? [amount, 0] : amount;
    const resources = { cpu: '1', memory: `${plain}Mi`, ...(pages === 0 ? {} : { 'hugepages-2Mi': `${pages}Mi` }) };
    const restartPolicy = name.startsWith('side') ? { restartPolicy: 'Always' } : {};
    return { name, ...restartPolicy, resources: { requests: resources, limits: resources } };
  };
  const isInit = ([name]: [string, unknown]): boolean => /^(init|side)/.test(name);
  const all = Object.entries(amounts);
  const initContainers = all.filter(isInit).map(container);
  const containers = all.filter((one) => !isInit(one)).map(container);
  return { metadata: { uid, name: uid, namespace: 'n' }, spec: { initContainers, containers } } as unknown as Pod;
}

async function admit(one: Pod): ReturnType<TopologyManager['admit']> {
  here.add(one.metadata.uid);
  const failure = await manager.admit(one);
  if (failure !== undefined) here.delete(one.metadata.uid);
  return failure;
}

/** What each node has left, in mebibytes. */
async function free(): Promise<number[]> {
  const state = JSON.parse(await readFile(join(dir, 'memory_manager_state'), 'utf8')) as {
    machineState: Record<string, { memoryMap: { memory: { free: number } } }>;
  };
  return [0, 1].map((node) => (state.machineState[node]?.memoryMap.memory.free ?? 0) / MiB);
}

test('memory comes from one node as long as it can', async () => {
  await start();
  expect(await admit(pod('a', { main: 50 }))).toBeUndefined();
  expect(memory.nodesOf('a', 'main')).toEqual([0]);
  expect(await admit(pod('b', { main: [50, 10] }))).toBeUndefined();
  expect(memory.nodesOf('b', 'main')).toEqual([1]);
  expect(await free()).toEqual([30, 40]);
  expect(memory.blocksOf('b', 'main')).toEqual([
    { numaAffinity: [1], type: 'hugepages-2Mi', size: 10 * MiB },
    { numaAffinity: [1], type: 'memory', size: 50 * MiB },
  ]);
});

test('what needs both nodes keeps single ones away, and the other way round', async () => {
  await start();
  expect(await admit(pod('both', { main: 120 }))).toBeUndefined();
  expect(memory.nodesOf('both', 'main')).toEqual([0, 1]);
  expect(await free()).toEqual([0, 50]);
  const noSingle = await admit(pod('one', { main: 10 }));
  expect(noSingle).toEqual({
    reason: 'UnexpectedAdmissionError',
    message: 'Allocate failed due to [memorymanager] failed to find the default preferred hint, which is unexpected',
  });
  here.clear();
  expect(await admit(pod('one', { main: 10 }))).toBeUndefined();
  expect((await admit(pod('both', { main: 120 })))?.message).toContain(
    'failed to get the default NUMA affinity, no NUMA nodes with enough memory is available',
  );
  expect(await free()).toEqual([70, 90]);
});

test.each<[string, Readonly<Record<string, number>>, number[]]>([
  ['an init container with less', { init: 30, main: 50 }, [30, 90]],
  ['an init container with more', { init: 50, main: 30 }, [30, 90]],
  ['a sidecar', { side: 20, init: 10, main: 30 }, [30, 90]],
  ['two containers', { one: 20, two: 30 }, [30, 90]],
])('together with %s', async (_, amounts, left) => {
  await start();
  expect(await admit(pod('a', amounts))).toBeUndefined();
  expect(await free()).toEqual(left);
  here.clear();
  manager.reclaim();
  await admit(pod('none', {}));
  expect(await free()).toEqual([80, 90]);
});

test('other classes have no certain memory', async () => {
  await start();
  const burstable = {
    ...pod('a', {}),
    spec: { containers: [{ name: 'main', resources: { requests: { memory: '1Mi' } } }] },
  };
  expect(await admit(burstable as unknown as Pod)).toBeUndefined();
  expect(memory.nodesOf('a', 'main')).toEqual([]);
});

test('single-numa-node: what does not fit a node is refused', async () => {
  await start('single-numa-node');
  expect((await admit(pod('a', { main: 120 })))?.reason).toBe('TopologyAffinityError');
  expect(await admit(pod('b', { main: 85 }))).toBeUndefined();
  expect(memory.nodesOf('b', 'main')).toEqual([1]);
});

test('a restart leaves containers their memory; other reserves are refused', async () => {
  await start();
  await admit(pod('a', { main: 120 }));
  await start();
  expect(await admit(pod('a', { main: 120 }))).toBeUndefined();
  expect(memory.nodesOf('a', 'main')).toEqual([0, 1]);
  await expect(start('none', new Map())).rejects.toThrow('the expected machine state is different from the real one');
});

test('what can be given away', async () => {
  await start();
  expect(memory.allocatable).toEqual([
    { numaAffinity: [0], type: 'hugepages-2Mi', size: 10 * MiB },
    { numaAffinity: [0], type: 'memory', size: 80 * MiB },
    { numaAffinity: [1], type: 'hugepages-2Mi', size: 10 * MiB },
    { numaAffinity: [1], type: 'memory', size: 90 * MiB },
  ]);
});

describe('files of upstream', () => {
  const file = (): CheckpointFile => new CheckpointFile(join(dir, 'state'));
  const table = { total: 2048, systemReserved: 512, allocatable: 1536, reserved: 512, free: 1024 };
  const entries = { pod: { container1: [{ numaAffinity: [0], type: 'memory', size: 512 }] } };
  const machineState = { 0: { numberOfAssignments: 0, memoryMap: { memory: table }, cells: [] } };

  test('are read', async () => {
    const kept = { policyName: 'Static', machineState, entries };
    await writeFile(join(dir, 'state'), JSON.stringify({ ...kept, checksum: 4215593881 }));
    await expect(restoreMemoryState(file(), 'Static')).rejects.toThrow('checkpoint is corrupted');
    await writeFile(join(dir, 'state'), JSON.stringify({ ...kept, policyName: 'static', checksum: 4215593881 }));
    await expect(restoreMemoryState(file(), 'Static')).rejects.toThrow(
      'configured policy "Static" differs from state checkpoint policy "static"',
    );
  });

  test('are written', async () => {
    await restoreMemoryState(file(), 'None');
    expect(await file().read()).toBe('{"policyName":"None","machineState":{},"checksum":4236770233}');
  });
});
