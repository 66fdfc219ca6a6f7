import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { ManagerMetrics } from '../stats/manager-metrics.ts';
import { maskOf } from '../topology/hints.ts';
import type { TopologyPolicy } from '../topology/merge.ts';
import { TopologyManager } from '../topology/topology-manager.ts';
import type { Pod } from '../types.ts';
import { formatCPUSet, parseCPUSet } from './cpu-set.ts';
import { restoreCPUState } from './cpu-state.ts';
import { CPUTopology } from './cpu-topology.ts';
import { type StaticCPUOptions, StaticCPUs } from './static-cpus.ts';

/** 8 CPUs on two NUMA nodes: 0 to 3 are cores of node 0 with 4 to 7 on node 1; no threads. */
const plain = new CPUTopology(
  Array.from({ length: 8 }, (_, id) => {
    const node = id < 4 ? 0 : 1;
    return { id, core: id, socket: node, numaNode: node, uncoreCache: node };
  }),
);
/** 8 CPUs, four cores of two threads: 4 is the sibling of 0. */
const threads = new CPUTopology(
  Array.from({ length: 8 }, (_, id) => ({ id, core: id % 4, socket: 0, numaNode: 0, uncoreCache: 0 })),
);
const none: StaticCPUOptions = {
  fullCores: false,
  distribute: false,
  strictReservation: false,
  preferUncoreCache: false,
};

let dir: string;
let here: Set<string>;
let changes: number;
let metrics: ManagerMetrics;
let registry: Registry;
let cpus: StaticCPUs;
let manager: TopologyManager;

interface Setting {
  readonly topology?: CPUTopology;
  readonly reserved?: string;
  readonly options?: Partial<StaticCPUOptions>;
  readonly policy?: TopologyPolicy;
  readonly scope?: 'container' | 'pod';
}

async function start({ topology = plain, reserved = '0', options = {}, policy, scope }: Setting = {}): Promise<void> {
  const file = new CheckpointFile(join(dir, 'cpu_manager_state'));
  registry = new Registry();
  metrics = new ManagerMetrics(registry);
  cpus = new StaticCPUs(
    topology,
    parseCPUSet(reserved),
    { ...none, ...options },
    {
      file,
      hasPod: (uid) => here.has(uid),
      sharedChanged: () => changes++,
      measure: metrics,
    },
  );
  cpus.restore(await restoreCPUState(file, 'static'));
  await cpus.saved();
  manager = new TopologyManager(
    { policy: policy ?? 'none', scope: scope ?? 'container', nodes: [0, 1] },
    { providers: [cpus], measure: metrics, monotonic: () => 0, logger: silentLogger },
  );
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-cpus-'));
  here = new Set();
  changes = 0;
});
afterEach(() => rm(dir, { recursive: true }));

interface Amounts {
  readonly [container: string]: string;
}

/** A Guaranteed pod; a name that begins with `init` is an init container, one with `side` a sidecar. */
function pod(uid: string, amounts: Amounts, spec: object = {}): Pod {
  const container = ([name, cpu]: [string, string]): object => {
    const resources = { cpu, memory: '1Mi' };
    const restartPolicy = name.startsWith('side') ? { restartPolicy: 'Always' } : {};
    return { name, ...restartPolicy, resources: { requests: resources, limits: resources } };
  };
  const isInit = ([name]: [string, string]): boolean => /^(init|side)/.test(name);
  const all = Object.entries(amounts);
  const initContainers = all.filter(isInit).map(container);
  const containers = all.filter((one) => !isInit(one)).map(container);
  return {
    metadata: { uid, name: uid, namespace: 'n' },
    spec: { initContainers, containers, ...spec },
  } as unknown as Pod;
}

async function admit(one: Pod): ReturnType<TopologyManager['admit']> {
  here.add(one.metadata.uid);
  const failure = await manager.admit(one);
  if (failure !== undefined) here.delete(one.metadata.uid);
  return failure;
}

function given(uid: string, ...containers: readonly string[]): string[] {
  return containers.map((name) => formatCPUSet(cpus.cpusOf(uid, name)));
}

describe('what containers get', () => {
  test.each<[string, Amounts, object, Record<string, string>]>([
    ['whole CPUs are exclusive', { main: '2' }, {}, { main: '1-2', other: '0,3-7' }],
    ['parts are not', { main: '1500m' }, {}, { main: '0-7' }],
    ['two containers, one with a part', { main: '1', part: '500m' }, {}, { main: '1', part: '0,2-7' }],
    [
      'what init containers had is used again',
      { init1: '3', init2: '1', main: '2' },
      {},
      { init1: '1-3', init2: '1', main: '1-2' },
    ],
    ['more than init containers had', { init: '1', main: '2' }, {}, { init: '1', main: '1-2' }],
    ['not what sidecars have', { side: '1', init: '1', main: '1' }, {}, { side: '1', init: '2', main: '2' }],
    ['resources of the pod as a whole', { main: '2' }, { resources: { limits: { cpu: '2' } } }, { main: '0-7' }],
  ])('%s', async (_, amounts, spec, expected) => {
    await start();
    expect(await admit(pod('a', amounts, spec))).toBeUndefined();
    expect(given('a', ...Object.keys(expected))).toEqual(Object.values(expected));
  });

  test('only Guaranteed pods', async () => {
    await start();
    const burstable = pod('a', {}, { containers: [{ name: 'main', resources: { requests: { cpu: '2' } } }] });
    expect(await admit(burstable)).toBeUndefined();
    expect(cpus.exclusive('a', 'main')).toBeUndefined();
  });

  test('reserved CPUs are shared, unless the reservation is strict', async () => {
    await start({ options: { strictReservation: true } });
    expect(given('x', 'any')).toEqual(['1-7']);
    await admit(pod('a', { main: '3' }));
    expect(given('a', 'main', 'any')).toEqual(['1-3', '4-7']);
  });
});

test('the last CPU beside the reserved ones is given, and one more is refused', async () => {
  await start();
  expect(await admit(pod('a', { main: '7' }))).toBeUndefined();
  expect(given('b', 'main')).toEqual(['0']);
  expect(await admit(pod('b', { main: '1' }))).toEqual({
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to not enough cpus available to satisfy request: requested=1, available=0, which is unexpected',
  });
});

test('what a refused pod had got so far is free again, and so is what gone pods had', async () => {
  await start();
  await admit(pod('a', { main: '4' }));
  expect(given('a', 'main', 'other')).toEqual(['4-7', '0-3']);
  expect((await admit(pod('b', { one: '2', two: '2' })))?.reason).toBe('UnexpectedAdmissionError');
  expect(given('a', 'other')).toEqual(['0-3']);
  here.delete('a');
  changes = 0;
  manager.reclaim();
  await admit(pod('c', { main: '7' }));
  expect(given('c', 'main')).toEqual(['1-7']);
  expect(changes).toBeGreaterThan(0);
});

test('a restart leaves containers their CPUs, and the file is as upstream writes it', async () => {
  await start();
  await admit(pod('a', { main: '2' }));
  const text = await readFile(join(dir, 'cpu_manager_state'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    policyName: 'static',
    defaultCpuSet: '0,3-7',
    entries: { a: { main: '1-2' } },
  });
  await start();
  expect(await admit(pod('a', { main: '2' }))).toBeUndefined();
  expect(given('a', 'main', 'other')).toEqual(['1-2', '0,3-7']);
});

describe('a state that does not fit is refused', () => {
  const state = (fields: string): string => `{"policyName":"static",${fields}}`;
  test.each<[string, string, Setting, string]>([
    [
      'another policy',
      '{"policyName":"none","defaultCpuSet":"","checksum":1353318690}',
      {},
      'configured policy "static" differs from state checkpoint policy "none", please drain this node and delete',
    ],
    ['a wrong checksum', state('"defaultCpuSet":"0-7","checksum":1'), {}, 'checkpoint is corrupted'],
    ['no JSON', 'x', {}, 'could not restore state from checkpoint'],
  ])('%s', async (_, text, setting, message) => {
    await writeFile(join(dir, 'cpu_manager_state'), text);
    await expect(start(setting)).rejects.toThrow(message);
  });

  test('more is reserved, or the machine has other CPUs', async () => {
    await start();
    await admit(pod('a', { main: '2' }));
    await expect(start({ reserved: '0-1' })).rejects.toThrow(
      'not all reserved cpus: "0-1" are present in defaultCpuSet: "0,3-7"',
    );
    await expect(start({ options: { strictReservation: true } })).rejects.toThrow(
      'some of strictly reserved cpus: "0"',
    );
    const fewer = new CPUTopology([0, 1, 2, 3].map((id) => ({ id, core: id, socket: 0, numaNode: 0, uncoreCache: 0 })));
    await expect(start({ topology: fewer })).rejects.toThrow(
      `current set of available CPUs "0-3" doesn't match with CPUs in state "0-7"`,
    );
  });
});

test.each([
  ['{"policyName":"none","defaultCpuSet":"","checksum":1353318690}', ''],
  ['{"policyName":"none","defaultCpuSet":"4-6","entries":{},"checksum":354655845}', '4-6'],
  [
    '{"policyName":"none","defaultCpuSet":"1-3","entries":{"pod":{"container1":"4-6","container2":"1-3"}},"checksum":3610638499}',
    '1-3',
  ],
])('files of upstream are read: %s', async (text, shared) => {
  await writeFile(join(dir, 'state'), text);
  const state = await restoreCPUState(new CheckpointFile(join(dir, 'state')), 'none');
  expect(formatCPUSet(state.shared)).toBe(shared);
});

test('whole cores only', async () => {
  await start({ topology: threads, reserved: '0', options: { fullCores: true } });
  expect(await admit(pod('a', { main: '3' }))).toEqual({
    reason: 'SMTAlignmentError',
    message: 'SMT Alignment Error: requested 3 cpus not multiple cpus per core = 2',
  });
  expect(await admit(pod('b', { main: '4' }))).toBeUndefined();
  expect(given('b', 'main')).toEqual(['1-2,5-6']);
  expect(await admit(pod('c', { main: '4' }))).toEqual({
    reason: 'SMTAlignmentError',
    message:
      'SMT Alignment Error: not enough free physical CPUs: available physical CPUs = 2, requested CPUs = 4, CPUs per core = 2',
  });
});

describe('on one NUMA node', () => {
  const setting = { policy: 'single-numa-node' } as const;

  test('a container that fits, and one that does not', async () => {
    await start(setting);
    expect(await admit(pod('a', { main: '4' }))).toBeUndefined();
    expect(given('a', 'main')).toEqual(['4-7']);
    expect(await admit(pod('b', { main: '4' }))).toEqual({
      reason: 'TopologyAffinityError',
      message: 'Resources cannot be allocated with Topology locality',
    });
    expect(await registry.metrics()).toContain('kubelet_topology_manager_admission_errors_total 1');
  });

  test('containers may be on different nodes, those of one pod not when the pod is the scope', async () => {
    const two = { one: '3', two: '3' };
    await start(setting);
    expect(await admit(pod('a', two))).toBeUndefined();
    expect(given('a', 'one', 'two')).toEqual(['1-3', '4-6']);
    await start({ ...setting, scope: 'pod' });
    here.clear();
    expect((await admit(pod('b', two)))?.reason).toBe('TopologyAffinityError');
    expect(await admit(pod('c', { one: '2', two: '2' }))).toBeUndefined();
    expect(given('c', 'one', 'two')).toEqual(['4-5', '6-7']);
  });

  test('restricted takes what needs two nodes, as nothing less would do', async () => {
    await start({ policy: 'restricted' });
    expect(await admit(pod('a', { main: '6' }))).toBeUndefined();
    expect((await admit(pod('b', { main: '4' })))?.reason).toBe('TopologyAffinityError');
  });
});

test('hints: every set of nodes with enough CPUs, preferred the small ones', async () => {
  await start();
  const [container] = pod('a', { main: '4' }).spec.containers;
  if (container === undefined) throw new Error('no container');
  expect(cpus.containerHints(pod('a', { main: '4' }), container)).toEqual(
    new Map([
      [
        'cpu',
        [
          { nodes: maskOf([1]), preferred: true },
          { nodes: maskOf([0, 1]), preferred: false },
        ],
      ],
    ]),
  );
});

test('metrics', async () => {
  await start();
  await admit(pod('a', { main: '2' }));
  await admit(pod('b', { main: '7' }));
  const text = await registry.metrics();
  expect(text).toContain('kubelet_cpu_manager_pinning_requests_total 2');
  expect(text).toContain('kubelet_cpu_manager_pinning_errors_total 1');
  expect(text).toContain('kubelet_cpu_manager_shared_pool_size_millicores 5000');
  expect(text).toContain('kubelet_cpu_manager_exclusive_cpu_allocation_count 2');
  expect(text).toContain('kubelet_cpu_manager_allocation_per_numa{numa_node="0"} 2');
});
