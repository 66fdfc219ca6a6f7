import { type Hint, masksOf, nodeCount, nodesOf } from '../topology/hints.ts';
import { ascending, type CPUSet } from './cpu-set.ts';
import type { CPUTopology } from './cpu-topology.ts';

export interface CPUHintInput {
  readonly topology: CPUTopology;
  readonly available: CPUSet;
  /** Those that are the pod's already: all of them have to be on the nodes. */
  readonly reusable: CPUSet;
  readonly count: number;
}

/** The sets of NUMA nodes that have enough free CPUs; preferred those with no more nodes than an idle machine would need. Pure. */
export function cpuHints({ topology, available, reusable, count }: CPUHintInput): Hint[] {
  const all = ascending(topology.units(topology.all, 'numaNode'));
  let fewest = all.length;
  const masks: number[] = [];
  for (const mask of masksOf(all)) {
    const nodes = nodesOf(mask);
    const on = (cpus: CPUSet): number => topology.within(cpus, 'numaNode', ...nodes).size;
    if (on(topology.all) >= count) fewest = Math.min(fewest, nodes.length);
    if (on(reusable) === reusable.size && reusable.size + on(available.difference(reusable)) >= count) masks.push(mask);
  }
  return masks.map((nodes) => ({ nodes, preferred: nodeCount(nodes) === fewest }));
}
