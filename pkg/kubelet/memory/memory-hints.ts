import { equalJSON } from '../../base/json.ts';
import { ascending } from '../cpus/cpu-set.ts';
import { type Hint, type Hints, masksOf, type NUMAMask, nodeCount, nodesOf } from '../topology/hints.ts';
import type { MemoryState, MemoryTable } from './memory-state.ts';

/** Bytes by kind of memory. */
export type MemoryRequest = ReadonlyMap<string, number>;

type MachineState = MemoryState['machineState'];

/**
 * The sets of NUMA nodes that all of the request can be taken from, the same for each kind of memory; preferred those with no
 * more nodes than an idle machine would need. A node gives either alone or always with the same others. `reusable`: what the
 * pod has there already and may use again. Pure.
 */
export function memoryHints(
  machine: MachineState,
  request: MemoryRequest,
  reusable: (mask: NUMAMask, type: string) => number,
): Hints {
  const all = ascending(Object.keys(machine).map(Number));
  let fewest = all.length;
  const masks: NUMAMask[] = [];
  for (const mask of masksOf(all)) {
    const nodes = nodesOf(mask);
    const enough = (of: (table: MemoryTable) => number, more: (type: string) => number): boolean =>
      [...request].every(([type, size]) => sumOf(machine, nodes, type, of) + more(type) >= size);
    if (
      !enough(
        (table) => table.allocatable,
        () => 0,
      )
    )
      continue;
    fewest = Math.min(fewest, nodes.length);
    const [first = -1] = nodes;
    if (nodes.length === 1 && (machine[first]?.cells.length ?? 0) > 1) continue;
    if (mixesGroups(machine, mask)) continue;
    if (
      enough(
        (table) => table.free,
        (type) => reusable(mask, type),
      )
    )
      masks.push(mask);
  }
  if (masks.length === 0) return new Map();
  const hints = masks.map((nodes): Hint => ({ nodes, preferred: nodeCount(nodes) === fewest }));
  return new Map([...request.keys()].map((type) => [type, hints]));
}

/** Free bytes of all kinds that are asked for. */
export function hasFree(machine: MachineState, mask: NUMAMask, request: MemoryRequest): boolean {
  return [...request].every(([type, size]) => sumOf(machine, nodesOf(mask), type, ({ free }) => free) >= size);
}

/** Whether one of several nodes gives memory already: alone, or with others than these. */
export function mixesGroups(machine: MachineState, mask: NUMAMask): boolean {
  const nodes = nodesOf(mask);
  if (nodes.length === 1) return false;
  return nodes.some((node) => {
    const state = machine[node];
    if (state === undefined || state.numberOfAssignments === 0) return false;
    return state.cells.length === 1 || !equalJSON(ascending(state.cells), nodes);
  });
}

function sumOf(
  machine: MachineState,
  nodes: readonly number[],
  type: string,
  of: (table: MemoryTable) => number,
): number {
  return nodes.reduce((sum, node) => {
    const table = machine[node]?.memoryMap[type];
    return sum + (table === undefined ? 0 : of(table));
  }, 0);
}
