import { equalJSON } from '../../base/json.ts';
import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { checksum, type GoValue } from '../checkpoints/checksum.ts';
import { ascending } from '../cpus/cpu-set.ts';

export type MemoryPolicy = 'None' | 'Static';

/** Memory of one kind on one NUMA node, in bytes; `reserved` is what containers have. */
export interface MemoryTable {
  total: number;
  systemReserved: number;
  allocatable: number;
  reserved: number;
  free: number;
}

/** `cells`: the nodes that memory is given from together with this one. */
export interface NUMANodeState {
  numberOfAssignments: number;
  memoryMap: Record<string, MemoryTable>;
  cells: number[];
}

export interface MemoryBlock {
  readonly numaAffinity: readonly number[];
  /** `memory` or `hugepages-2Mi`. */
  readonly type: string;
  size: number;
}

/** What the file holds, in upstream's form. Changed in place by the one who owns it. */
export interface MemoryState {
  machineState: Record<string, NUMANodeState>;
  /** By pod's uid and container's name. */
  entries: Record<string, Record<string, MemoryBlock[]>>;
}

interface Kept extends MemoryState {
  readonly policyName: string;
  readonly checksum: number;
}

/** What another policy decided, or a file that was tampered with, is not taken over. Throws an Error that says what to do. */
export async function restoreMemoryState(file: CheckpointFile, policy: MemoryPolicy): Promise<MemoryState> {
  const text = await file.read();
  const empty: MemoryState = { machineState: {}, entries: {} };
  if (text === undefined) {
    await file.write(() => memoryStateText(policy, empty));
    return empty;
  }
  try {
    const { entries = {}, ...rest } = JSON.parse(text) as Omit<Kept, 'entries'> & Partial<Pick<Kept, 'entries'>>;
    const kept = { ...rest, entries };
    if (stateChecksum(kept.policyName, kept) !== kept.checksum) throw new Error('checkpoint is corrupted');
    if (kept.policyName !== policy) {
      throw new Error(
        `[memorymanager] configured policy "${policy}" differs from state checkpoint policy "${kept.policyName}"`,
      );
    }
    return { machineState: kept.machineState, entries: kept.entries };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const advice = `please drain this node and delete the memory manager checkpoint file "${file.path}" before restarting Kubelet`;
    throw new Error(`could not restore state from checkpoint: ${what}, ${advice}`, { cause: error });
  }
}

export function memoryStateText(policyName: MemoryPolicy, { machineState, entries }: MemoryState): string {
  return JSON.stringify({
    policyName,
    machineState,
    ...(Object.keys(entries).length === 0 ? {} : { entries }),
    checksum: stateChecksum(policyName, { machineState, entries }),
  });
}

/** Whether what containers have adds up to the same on the same machine; how it is split within a group of nodes is free. */
export function sameMachineState(a: MemoryState['machineState'], b: MemoryState['machineState']): boolean {
  if (!equalJSON(Object.keys(a).sort(), Object.keys(b).sort())) return false;
  return Object.entries(a).every(([node, one]) => {
    const other = b[node];
    if (other === undefined || one.numberOfAssignments !== other.numberOfAssignments) return false;
    if (!equalJSON(ascending(one.cells), ascending(other.cells))) return false;
    if (!equalJSON(Object.keys(one.memoryMap).sort(), Object.keys(other.memoryMap).sort())) return false;
    return Object.keys(one.memoryMap).every((type) => equalJSON(groupSums(a, one, type), groupSums(b, other, type)));
  });
}

function groupSums(state: MemoryState['machineState'], { memoryMap, cells }: NUMANodeState, type: string): number[] {
  const own = memoryMap[type];
  const tables = cells.map((cell) => state[cell]?.memoryMap[type]);
  const sum = (of: (table: MemoryTable) => number): number =>
    tables.reduce((total, table) => total + (table === undefined ? 0 : of(table)), 0);
  return [
    own?.total ?? 0,
    own?.systemReserved ?? 0,
    own?.allocatable ?? 0,
    sum(({ free }) => free),
    sum(({ reserved }) => reserved),
  ];
}

const uint64 = (scalar: number): GoValue => ({ type: 'uint64', scalar });
const ints = (list: readonly number[]): GoValue => ({
  type: '[]int',
  list: list.map((scalar) => ({ type: 'int', scalar })),
});

function stateChecksum(policyName: string, { machineState, entries }: MemoryState): number {
  const nodes = Object.entries(machineState).map(([node, state]): [number, GoValue] => [Number(node), goNode(state)]);
  const pods = Object.entries(entries).map(([uid, containers]): [string, GoValue] => [
    uid,
    {
      type: 'map[string][]state.Block',
      map: Object.entries(containers).map(([name, blocks]): [string, GoValue] => [
        name,
        { type: '[]state.Block', list: blocks.map(goBlock) },
      ]),
    },
  ]);
  return checksum({
    type: 'state.MemoryManagerCheckpoint',
    struct: [
      ['PolicyName', { type: 'string', scalar: policyName }],
      ['MachineState', { type: 'state.NUMANodeMap', map: nodes }],
      ['Entries', { type: 'state.ContainerMemoryAssignments', map: pods }],
      ['Checksum', { type: 'checksum.Checksum', scalar: 0 }],
    ],
  });
}

function goNode({ numberOfAssignments, memoryMap, cells }: NUMANodeState): GoValue {
  const tables = Object.entries(memoryMap).map(([type, table]): [string, GoValue] => [type, goTable(table)]);
  const struct: [string, GoValue][] = [
    ['NumberOfAssignments', { type: 'int', scalar: numberOfAssignments }],
    ['MemoryMap', { type: 'map[v1.ResourceName]*state.MemoryTable', map: tables }],
    ['Cells', ints(cells)],
  ];
  return { type: '*state.NUMANodeState', pointer: { type: 'state.NUMANodeState', struct } };
}

function goTable({ total, systemReserved, allocatable, reserved, free }: MemoryTable): GoValue {
  const struct: [string, GoValue][] = [
    ['TotalMemSize', uint64(total)],
    ['SystemReserved', uint64(systemReserved)],
    ['Allocatable', uint64(allocatable)],
    ['Reserved', uint64(reserved)],
    ['Free', uint64(free)],
  ];
  return { type: '*state.MemoryTable', pointer: { type: 'state.MemoryTable', struct } };
}

function goBlock({ numaAffinity, type, size }: MemoryBlock): GoValue {
  return {
    type: 'state.Block',
    struct: [
      ['NUMAAffinity', ints(numaAffinity)],
      ['Type', { type: 'v1.ResourceName', scalar: type }],
      ['Size', uint64(size)],
    ],
  };
}
