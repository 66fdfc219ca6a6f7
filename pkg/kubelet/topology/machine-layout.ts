import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { formatQuantity, quantityOf } from '../../api/quantity.ts';
import { ascending, parseCPUSet, sameCPUs } from '../cpus/cpu-set.ts';
import { CPUTopology, type LogicalCPU } from '../cpus/cpu-topology.ts';

export interface NUMANode {
  readonly id: number;
  readonly memoryBytes: number;
  /** Page size (`2Mi`) -> bytes reserved in pages of that size. */
  readonly hugepages: ReadonlyMap<string, number>;
  /** To every node of the machine, in their order, as the firmware tells. */
  readonly distances: readonly number[];
}

/** What sits where in the machine. */
export interface MachineLayout {
  readonly cpus: CPUTopology;
  readonly nodes: readonly NUMANode[];
}

export const NO_LAYOUT: MachineLayout = { cpus: new CPUTopology([]), nodes: [] };

/** The level of the cache that cores share. */
const SHARED_CACHE_LEVEL = '3';
const KIB = 1024;

/** `sysfs`: /sys. */
export async function readMachineLayout(sysfs: string): Promise<MachineLayout> {
  const system = join(sysfs, 'devices/system');
  const online = parseCPUSet((await readText(join(system, 'cpu/online'))) ?? '0');
  const ids = parseCPUSet((await readText(join(system, 'node/online'))) ?? '');
  const nodes = await Promise.all(ascending(ids).map((id) => readNode(join(system, `node/node${id}`), id)));
  if (nodes.length === 0) nodes.push(await onlyNode(sysfs, online));
  const cpus = await Promise.all(
    nodes.flatMap(({ node, cpus: own }) =>
      ascending(own.intersection(online)).map((cpu) => readCPU(join(system, `cpu/cpu${cpu}`), cpu, node.id, own)),
    ),
  );
  return { cpus: new CPUTopology(cpus), nodes: nodes.map(({ node }) => node) };
}

interface NodeWithCPUs {
  readonly node: NUMANode;
  readonly cpus: ReadonlySet<number>;
}

async function readNode(dir: string, id: number): Promise<NodeWithCPUs> {
  const meminfo = (await readText(join(dir, 'meminfo'))) ?? '';
  const distances = ((await readText(join(dir, 'distance'))) ?? '').split(/\s+/).filter((text) => text !== '');
  const node = {
    id,
    memoryBytes: Number(/MemTotal:\s+(\d+) kB/.exec(meminfo)?.[1] ?? 0) * KIB,
    hugepages: await readHugepages(join(dir, 'hugepages')),
    distances: distances.map(Number),
  };
  return { node, cpus: parseCPUSet((await readText(join(dir, 'cpulist'))) ?? '') };
}

/** A kernel without NUMA. */
async function onlyNode(sysfs: string, cpus: ReadonlySet<number>): Promise<NodeWithCPUs> {
  const hugepages = await readHugepages(join(sysfs, 'kernel/mm/hugepages'));
  return { node: { id: 0, memoryBytes: totalmem(), hugepages, distances: [10] }, cpus };
}

async function readCPU(dir: string, id: number, numaNode: number, ofNode: ReadonlySet<number>): Promise<LogicalCPU> {
  const siblings = parseCPUSet((await readText(join(dir, 'topology/thread_siblings_list'))) ?? String(id));
  const socket = Math.max(0, Number((await readText(join(dir, 'topology/physical_package_id'))) ?? 0));
  const uncoreCache = (await sharedCache(join(dir, 'cache'), ofNode)) ?? socket;
  return { id, core: Math.min(...siblings), socket, numaNode, uncoreCache };
}

/** The id of the cache that some cores of the node share; undefined: all do, or none. */
async function sharedCache(dir: string, ofNode: ReadonlySet<number>): Promise<number | undefined> {
  for (const name of await readdir(dir).catch((): string[] => [])) {
    if (!name.startsWith('index') || (await readText(join(dir, name, 'level'))) !== SHARED_CACHE_LEVEL) continue;
    const users = parseCPUSet((await readText(join(dir, name, 'shared_cpu_list'))) ?? '');
    if (users.size === 0 || sameCPUs(users, ofNode)) return undefined;
    return Number((await readText(join(dir, name, 'id'))) ?? Math.min(...users));
  }
  return undefined;
}

/** `dir`: the kernel's directory of page sizes, of the machine or of a node. Page size (`2Mi`) -> bytes in such pages. */
export async function readHugepages(dir: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of (await readdir(dir).catch((): string[] => [])).sort()) {
    const sizeKiB = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    if (sizeKiB === 0) continue;
    const count = Number((await readText(join(dir, name, 'nr_hugepages'))) ?? 0);
    found.set(formatQuantity(quantityOf(sizeKiB * KIB, 'BinarySI')), count * sizeKiB * KIB);
  }
  return found;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
