import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { formatCPUSet } from '../cpus/cpu-set.ts';
import { CPUTopology } from '../cpus/cpu-topology.ts';
import { ManagerMetrics } from '../stats/manager-metrics.ts';
import { type ManagersConfiguration, managerSettings } from './configuration.ts';
import { type HintProvider, NO_HINTS } from './hints.ts';
import type { MachineLayout } from './machine-layout.ts';
import { type Managers, openManagers } from './managers.ts';

const GiB = 2 ** 30;
const devices: HintProvider = {
  containerHints: () => NO_HINTS,
  podHints: () => NO_HINTS,
  allocate: () => {},
  reclaim: () => {},
  saved: async () => {},
};
/** Four cores of two threads. */
const cpus = new CPUTopology(
  Array.from({ length: 8 }, (_, id) => ({ id, core: id % 4, socket: 0, numaNode: 0, uncoreCache: 0 })),
);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kube-lite-managers-'));
});
afterEach(() => rm(dir, { recursive: true }));

function open(
  configuration: ManagersConfiguration,
  kept = { milliCPU: 1500, memoryBytes: GiB },
  nodeIDs: readonly number[] = [0],
): Promise<Managers> {
  const nodes = nodeIDs.map((id) => ({
    id,
    memoryBytes: 4 * GiB,
    hugepages: new Map<string, number>(),
    distances: [10],
  }));
  const layout: MachineLayout = { cpus, nodes };
  return openManagers({
    settings: managerSettings(configuration),
    layout,
    stateDir: dir,
    kept,
    devices,
    hasPod: () => false,
    sharedCPUsChanged: () => {},
    metrics: new ManagerMetrics(new Registry()),
    monotonic: () => 0,
    logger: silentLogger,
  });
}

const staticCPUs = { cpuManagerPolicy: 'static' };
const staticMemory = (memory: string, numaNode = 0): ManagersConfiguration => ({
  memoryManagerPolicy: 'Static',
  reservedMemory: [{ numaNode, limits: { memory } }],
});

test('without policies nothing is given, and the files say so', async () => {
  expect(await open({})).toMatchObject({ cpus: undefined, memory: undefined });
  expect((await readdir(dir)).sort()).toEqual(['cpu_manager_state', 'memory_manager_state']);
  await expect(open(staticCPUs)).rejects.toThrow('delete the CPU manager checkpoint file');
  await expect(open(staticMemory('1Gi'))).rejects.toThrow('delete the memory manager checkpoint file');
});

test.each<[string, ManagersConfiguration, string]>([
  ['as many whole cores as are reserved', {}, '1-3,5-7'],
  ['those that are named', { reservedSystemCPUs: '0-1' }, '2-7'],
])('reserved CPUs: %s', async (_, configuration, allocatable) => {
  const managers = await open({ ...staticCPUs, ...configuration });
  expect(formatCPUSet(managers.cpus?.allocatable ?? new Set())).toBe(allocatable);
});

test.each<[string, ManagersConfiguration, { milliCPU: number; memoryBytes: number }, readonly number[], string]>([
  [
    'no CPU is reserved',
    staticCPUs,
    { milliCPU: 0, memoryBytes: 0 },
    [0],
    'requires systemreserved.cpu + kubereserved.cpu to be greater',
  ],
  [
    'too many are',
    staticCPUs,
    { milliCPU: 9000, memoryBytes: 0 },
    [0],
    'unable to reserve the required amount of CPUs',
  ],
  [
    'one is not there',
    { ...staticCPUs, reservedSystemCPUs: '7-9' },
    { milliCPU: 3000, memoryBytes: 0 },
    [0],
    'reserved CPUs 8-9 are not on this machine',
  ],
  [
    'other memory than the node keeps',
    staticMemory('2Gi'),
    { milliCPU: 0, memoryBytes: GiB },
    [0],
    `the total amount "${2 * GiB}" of type "memory" is not equal to the value "${GiB}" determined by Node Allocatable feature`,
  ],
  ['memory of no node', staticMemory('1Gi', 3), { milliCPU: 0, memoryBytes: GiB }, [0], 'there is no NUMA node 3'],
  [
    'many NUMA nodes',
    { topologyManagerPolicy: 'restricted' },
    { milliCPU: 0, memoryBytes: 0 },
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    'unsupported on machines with more than 8 NUMA Nodes',
  ],
  [
    'high numbers',
    { topologyManagerPolicy: 'restricted' },
    { milliCPU: 0, memoryBytes: 0 },
    [0, 252],
    'NUMA node 252: numbers above 30 are not supported',
  ],
])('the node does not start: %s', async (_, configuration, kept, nodes, message) => {
  await expect(open(configuration, kept, nodes)).rejects.toThrow(message);
});

test('high numbers of NUMA nodes are nothing to a node without policies', async () => {
  expect(await open(staticCPUs, { milliCPU: 1000, memoryBytes: 0 }, [0, 252])).toMatchObject({ memory: undefined });
});
