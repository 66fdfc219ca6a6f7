import { combinations } from '../topology/combinations.ts';
import type { CPUSet } from './cpu-set.ts';
import type { CPUTopology } from './cpu-topology.ts';
import { notEnough, Picking, type TakeOptions, takePacked } from './take-packed.ts';

const OPTIONS: TakeOptions = { preferUncoreCache: false };

/**
 * Picks `count` of the available CPUs spread evenly over as few NUMA nodes as can be (upstream's KEP 2902), always in groups of
 * `groupSize`; what cannot be spread is packed. Of several sets of nodes that one is taken which leaves the free CPUs
 * of the machine most even. Throws an Error when there are too few. Pure.
 */
export function takeDistributed(topology: CPUTopology, available: CPUSet, count: number, groupSize: number): CPUSet {
  if (count % groupSize !== 0) return takePacked(topology, available, count, OPTIONS);
  const picking = new Picking(topology, available, count);
  if (count < 1) return picking.taken;
  if (count > available.size) throw notEnough(count, available);
  const nodes = picking.sortedNUMANodes();
  const free = new Map(nodes.map((node) => [node, picking.freeIn('numaNode', node).size]));
  const groups = Math.ceil(count / groupSize);
  const groupsPerNode = Math.ceil(Math.ceil(topology.all.size / groupSize) / topology.count('numaNode'));
  const most = Math.min(groups, nodes.length);
  for (let size = Math.ceil(groups / groupsPerNode); size <= most; size++) {
    const spread = bestSpread(free, combinations(nodes, size), count, groupSize);
    if (spread === undefined) continue;
    const each = evenShare(count, size, groupSize);
    for (const [node, amount] of spread) {
      const take = (cpus: number): void =>
        picking.take(takePacked(topology, picking.freeIn('numaNode', node), cpus, OPTIONS));
      take(each);
      // One group at a time, as upstream: parts of cores that are in use already come first.
      for (let more = each; more < amount; more += groupSize) take(groupSize);
    }
    return picking.taken;
  }
  return takePacked(topology, available, count, OPTIONS);
}

function evenShare(count: number, nodes: number, groupSize: number): number {
  return Math.floor(count / nodes / groupSize) * groupSize;
}

/** How many CPUs each node gives: the same, and the first ones of a part of them one group more. */
type Spread = ReadonlyMap<number, number>;

/** `free`: free CPUs by node, over the whole machine. Of equally even ones the first. */
function bestSpread(
  free: ReadonlyMap<number, number>,
  candidates: Iterable<readonly number[]>,
  count: number,
  groupSize: number,
): Spread | undefined {
  let best: { readonly spread: Spread; readonly imbalance: number } | undefined;
  for (const nodes of candidates) {
    const groups = nodes.reduce((sum, node) => sum + Math.floor((free.get(node) ?? 0) / groupSize), 0);
    const each = evenShare(count, nodes.length, groupSize);
    if (groups * groupSize < count || nodes.some((node) => (free.get(node) ?? 0) < each)) continue;
    const even = new Map(nodes.map((node) => [node, each]));
    for (const spread of withRemainder(free, even, count - each * nodes.length, groupSize)) {
      const imbalance = standardDeviation([...free].map(([node, cpus]) => cpus - (spread.get(node) ?? 0)));
      if (best === undefined || imbalance < best.imbalance) best = { spread, imbalance };
      if (best.imbalance === 0) return best.spread;
    }
  }
  return best?.spread;
}

/** Every way to give out what is left: over as many of the nodes as can be first. */
function* withRemainder(
  free: ReadonlyMap<number, number>,
  even: Spread,
  remainder: number,
  groupSize: number,
): Iterable<Spread> {
  if (remainder === 0) yield even;
  const left = (spread: Spread, node: number): number => (free.get(node) ?? 0) - (spread.get(node) ?? 0);
  const takers = [...even.keys()].filter((node) => left(even, node) >= groupSize);
  for (let size = takers.length; remainder > 0 && size >= 1; size--) {
    for (const nodes of combinations(takers, size)) {
      const spread = new Map(even);
      let rest = remainder;
      for (let given = true; rest > 0 && given; ) {
        given = false;
        for (const node of nodes) {
          if (rest === 0 || left(spread, node) < groupSize) continue;
          spread.set(node, (spread.get(node) ?? 0) + groupSize);
          rest -= groupSize;
          given = true;
        }
      }
      if (rest === 0) yield spread;
    }
  }
}

/** To three digits, as upstream: nearly equal is equal. */
function standardDeviation(values: readonly number[]): number {
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  const mean = round(values.reduce((sum, value) => sum + value, 0) / values.length);
  return round(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length));
}
