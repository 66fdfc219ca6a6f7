import { join } from 'node:path';
import type { Logger } from '../../base/logger.ts';
import { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { type CPUSet, formatCPUSet } from '../cpus/cpu-set.ts';
import { restoreCPUState } from '../cpus/cpu-state.ts';
import { StaticCPUs, takeCPUs } from '../cpus/static-cpus.ts';
import { restoreMemoryState } from '../memory/memory-state.ts';
import { StaticMemory } from '../memory/static-memory.ts';
import type { ManagerMetrics } from '../stats/manager-metrics.ts';
import type { ManagerSettings } from './configuration.ts';
import { type HintProvider, MAX_NUMA_NODE } from './hints.ts';
import type { MachineLayout } from './machine-layout.ts';
import { TopologyManager } from './topology-manager.ts';

export interface ManagersInput {
  readonly settings: ManagerSettings;
  readonly layout: MachineLayout;
  /** Where the checkpoints are; undefined: nothing is kept, for a node that only pretends. */
  readonly stateDir: string | undefined;
  /** What pods never get of the machine, reserves and hard eviction thresholds together. */
  readonly kept: { readonly milliCPU: number; readonly memoryBytes: number };
  readonly devices: HintProvider;
  readonly hasPod: (uid: string) => boolean;
  readonly sharedCPUsChanged: () => void;
  readonly metrics: ManagerMetrics;
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/** Who gives away what of the machine. */
export interface Managers {
  readonly topology: TopologyManager;
  /** Undefined: all containers share all CPUs. */
  readonly cpus: StaticCPUs | undefined;
  /** Undefined: memory comes from anywhere. */
  readonly memory: StaticMemory | undefined;
}

/** Throws an Error when the settings do not fit the machine, or what was given away before does not fit either of them. */
export async function openManagers(input: ManagersInput): Promise<Managers> {
  const { settings, layout, devices, metrics, monotonic, logger } = input;
  const nodes = layout.nodes.map(({ id }) => id);
  if (settings.topologyPolicy !== 'none' && nodes.length > settings.maxNUMANodes) {
    throw new Error(`topology manager: unsupported on machines with more than ${settings.maxNUMANodes} NUMA Nodes`);
  }
  const tooHigh = nodes.find((node) => node > MAX_NUMA_NODE);
  if (tooHigh !== undefined && (settings.topologyPolicy !== 'none' || settings.memoryPolicy !== 'None')) {
    throw new Error(`NUMA node ${tooHigh}: numbers above ${MAX_NUMA_NODE} are not supported`);
  }
  const cpus = await openCPUs(input);
  const memory = await openMemory(input);
  const providers = [devices, cpus, memory].filter((provider) => provider !== undefined);
  const distances = new Map(layout.nodes.map(({ id, distances: to }) => [id, byNode(nodes, to)]));
  const topology = new TopologyManager(
    {
      policy: settings.topologyPolicy,
      scope: settings.topologyScope,
      nodes,
      ...(settings.preferClosestNUMA ? { distances } : {}),
    },
    { providers, measure: metrics, monotonic, logger },
  );
  return { topology, cpus, memory };
}

/** The kernel lists distances to the nodes in their order. */
function byNode(nodes: readonly number[], distances: readonly number[]): number[] {
  const found: number[] = [];
  for (const [index, node] of nodes.entries()) found[node] = distances[index] ?? 0;
  return found;
}

async function openCPUs(input: ManagersInput): Promise<StaticCPUs | undefined> {
  const { settings, stateDir, layout, hasPod, metrics, sharedCPUsChanged: sharedChanged } = input;
  if (stateDir === undefined) return undefined;
  const file = new CheckpointFile(join(stateDir, 'cpu_manager_state'));
  const state = await restoreCPUState(file, settings.cpuPolicy);
  if (settings.cpuPolicy === 'none') return undefined;
  const reserved = reservedCPUs(input);
  const cpus = new StaticCPUs(layout.cpus, reserved, settings.cpuOptions, {
    file,
    hasPod,
    sharedChanged,
    measure: metrics,
  });
  cpus.restore(state);
  await cpus.saved();
  return cpus;
}

function reservedCPUs({ settings, layout: { cpus }, kept }: ManagersInput): CPUSet {
  const { reservedCPUs: given, cpuOptions } = settings;
  const unknown = given.difference(cpus.all);
  if (unknown.size > 0) throw new Error(`reserved CPUs ${formatCPUSet(unknown)} are not on this machine`);
  if (given.size > 0) return given;
  const count = Math.ceil(kept.milliCPU / 1000);
  if (count === 0) {
    throw new Error(
      'the static CPU manager policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero',
    );
  }
  if (count > cpus.all.size) {
    const all = formatCPUSet(cpus.all);
    throw new Error(`unable to reserve the required amount of CPUs (size of ${all} did not equal ${count})`);
  }
  return takeCPUs(cpus, cpus.all, count, cpuOptions);
}

async function openMemory({
  settings,
  layout,
  stateDir,
  kept,
  hasPod,
  metrics,
}: ManagersInput): Promise<StaticMemory | undefined> {
  if (stateDir === undefined) return undefined;
  const file = new CheckpointFile(join(stateDir, 'memory_manager_state'));
  const state = await restoreMemoryState(file, settings.memoryPolicy);
  if (settings.memoryPolicy === 'None') return undefined;
  checkReservedMemory(settings, layout, kept.memoryBytes);
  const memory = new StaticMemory(layout.nodes, settings.reservedMemory, { file, hasPod, measure: metrics });
  memory.restore(state);
  await memory.saved();
  return memory;
}

/** What nodes keep has to be what pods as a whole never get. */
function checkReservedMemory({ reservedMemory }: ManagerSettings, layout: MachineLayout, keptBytes: number): void {
  const totals = new Map<string, number>([['memory', 0]]);
  for (const [node, limits] of reservedMemory) {
    if (!layout.nodes.some(({ id }) => id === node)) throw new Error(`reserved memory: there is no NUMA node ${node}`);
    for (const [type, bytes] of limits) totals.set(type, (totals.get(type) ?? 0) + bytes);
  }
  for (const [type, bytes] of totals) {
    const wanted = type === 'memory' ? keptBytes : 0;
    if (bytes === wanted) continue;
    const end = `is not equal to the value "${wanted}" determined by Node Allocatable feature`;
    throw new Error(`the total amount "${bytes}" of type "${type}" ${end}`);
  }
}
