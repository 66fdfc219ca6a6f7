import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatCPUSet } from '../cpus/cpu-set.ts';
import { readMachineLayout } from './machine-layout.ts';

let sysfs: string;
beforeEach(async () => {
  sysfs = await mkdtemp(join(tmpdir(), 'kube-lite-sysfs-'));
});
afterEach(() => rm(sysfs, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(sysfs, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${text}\n`);
  }
}

const cpu = (id: number, siblings: string, socket: number, cache?: { users: string; id: number }): object => ({
  [`devices/system/cpu/cpu${id}/topology/thread_siblings_list`]: siblings,
  [`devices/system/cpu/cpu${id}/topology/physical_package_id`]: String(socket),
  ...(cache === undefined
    ? {}
    : {
        [`devices/system/cpu/cpu${id}/cache/index3/level`]: '3',
        [`devices/system/cpu/cpu${id}/cache/index3/shared_cpu_list`]: cache.users,
        [`devices/system/cpu/cpu${id}/cache/index3/id`]: String(cache.id),
      }),
});
const node = (id: number, list: string, distance: string): Record<string, string> => ({
  [`devices/system/node/node${id}/cpulist`]: list,
  [`devices/system/node/node${id}/distance`]: distance,
  [`devices/system/node/node${id}/meminfo`]: `Node ${id} MemTotal:       1024 kB\nNode ${id} MemFree: 1 kB`,
  [`devices/system/node/node${id}/hugepages/hugepages-2048kB/nr_hugepages`]: '3',
  [`devices/system/node/node${id}/hugepages/hugepages-1048576kB/nr_hugepages`]: '1',
});

test('two nodes of one socket each, with threads, caches and a CPU that is offline', async () => {
  await write({
    'devices/system/cpu/online': '0-4,6-7',
    'devices/system/node/online': '0-1',
    ...node(0, '0-1,4-5', '10 21'),
    ...node(1, '2-3,6-7', '21 10'),
    ...cpu(0, '0,4', 0, { users: '0,4', id: 7 }),
    ...cpu(4, '0,4', 0, { users: '0,4', id: 7 }),
    ...cpu(1, '1', 0, { users: '1', id: 8 }),
    ...cpu(2, '2,6', 1, { users: '2-3,6-7', id: 9 }),
    ...cpu(3, '3,7', 1),
    ...cpu(6, '2,6', 1),
    ...cpu(7, '3,7', 1),
  });
  const { cpus, nodes } = await readMachineLayout(sysfs);
  expect(nodes).toEqual([
    {
      id: 0,
      memoryBytes: 2 ** 20,
      hugepages: new Map([
        ['1Gi', 2 ** 30],
        ['2Mi', 3 * 2 ** 21],
      ]),
      distances: [10, 21],
    },
    {
      id: 1,
      memoryBytes: 2 ** 20,
      hugepages: new Map([
        ['1Gi', 2 ** 30],
        ['2Mi', 3 * 2 ** 21],
      ]),
      distances: [21, 10],
    },
  ]);
  expect(formatCPUSet(cpus.all)).toBe('0-4,6-7');
  expect([0, 1, 2, 4, 7].map((id) => cpus.unitOf(id, 'core'))).toEqual([0, 1, 2, 0, 3]);
  expect([0, 7].map((id) => cpus.unitOf(id, 'socket'))).toEqual([0, 1]);
  // A cache that a whole node shares is none that tells cores apart.
  expect([0, 1, 2, 3].map((id) => cpus.unitOf(id, 'uncoreCache'))).toEqual([7, 8, 1, 1]);
  expect([3, 4].map((id) => cpus.unitOf(id, 'numaNode'))).toEqual([1, 0]);
});

test('a kernel without NUMA, and a machine of which nothing is known', async () => {
  await write({ 'devices/system/cpu/online': '0-1', 'kernel/mm/hugepages/hugepages-64kB/nr_hugepages': '2' });
  const { cpus, nodes } = await readMachineLayout(sysfs);
  expect(formatCPUSet(cpus.all)).toBe('0-1');
  expect(nodes).toMatchObject([{ id: 0, hugepages: new Map([['64Ki', 2 ** 17]]) }]);
  expect([0, 1].map((id) => cpus.unitOf(id, 'core'))).toEqual([0, 1]);
});
