import { ANYWHERE, type Hint, type Hints, isNarrower, maskOf, type NUMAMask, nodeCount, nodesOf } from './hints.ts';

export type TopologyPolicy = 'none' | 'best-effort' | 'restricted' | 'single-numa-node';

export interface MergeInput {
  readonly policy: TopologyPolicy;
  /** Ids of the machine's NUMA nodes. */
  readonly nodes: readonly number[];
  /** Of nodes to each other as the firmware tells, when nearer ones are to be preferred. */
  readonly distances?: ReadonlyMap<number, readonly number[]>;
}

export interface Merged {
  readonly hint: Hint;
  readonly admit: boolean;
}

/**
 * What all that give something away can agree upon, and whether the policy takes the pod then. Upstream's rule: of every way to
 * take one hint of each resource, what their nodes have in common; the best of that. Pure.
 */
export function mergeHints(all: readonly Hints[], input: MergeInput): Merged {
  const { policy } = input;
  if (policy === 'none') return { hint: ANYWHERE, admit: true };
  const lists = all.flatMap(hintLists);
  const usable = policy === 'single-numa-node' ? lists.map((list) => list.filter(isSingle)) : lists;
  const hint = best(usable, input);
  if (policy !== 'single-numa-node') return { hint, admit: policy === 'best-effort' || hint.preferred };
  const anyNode = hint.nodes === maskOf(input.nodes);
  return { hint: anyNode ? { preferred: hint.preferred } : hint, admit: hint.preferred };
}

/** One list per resource; who has no wish has the wish "anywhere". */
function hintLists(hints: Hints): (readonly Hint[])[] {
  if (hints.size === 0) return [[ANYWHERE]];
  return [...hints.values()].map((list) => {
    if (list === undefined) return [ANYWHERE];
    return list.length === 0 ? [{ preferred: false }] : list;
  });
}

function isSingle({ nodes, preferred }: Hint): boolean {
  return preferred && (nodes === undefined || nodeCount(nodes) === 1);
}

interface Placed {
  readonly nodes: NUMAMask;
  readonly preferred: boolean;
}

/**
 * The number of ways multiplies with every resource, that of sets of nodes does not: after each resource only the different
 * results are kept.
 */
function best(lists: readonly (readonly Hint[])[], input: MergeInput): Placed {
  const everywhere = maskOf(input.nodes);
  let results = new Map<string, Placed>([['', { nodes: everywhere, preferred: true }]]);
  for (const list of lists) {
    const next = new Map<string, Placed>();
    for (const before of results.values()) {
      for (const hint of list) {
        const nodes = before.nodes & (hint.nodes ?? everywhere);
        const preferred = before.preferred && hint.preferred;
        if (nodes !== 0) next.set(`${nodes}/${preferred}`, { nodes, preferred });
      }
    }
    results = next;
  }
  const wanted = widestNeed(lists);
  let found: Placed | undefined;
  for (const result of results.values())
    if (found === undefined || isBetter(result, found, wanted, input)) found = result;
  return found ?? { nodes: everywhere, preferred: false };
}

/** How many nodes the resource needs that needs the most. */
function widestNeed(lists: readonly (readonly Hint[])[]): number {
  const needs = lists.map((list) => {
    const counts = list.flatMap(({ nodes }) => (nodes === undefined ? [] : [nodeCount(nodes)]));
    return counts.length === 0 ? 0 : Math.min(...counts);
  });
  return Math.max(0, ...needs);
}

/** Preferred ones first; of others those that have the number of nodes that is needed, then nearly as many, then more. */
function isBetter(a: Placed, b: Placed, wanted: number, input: MergeInput): boolean {
  if (a.preferred !== b.preferred) return a.preferred;
  const [countA, countB] = [nodeCount(a.nodes), nodeCount(b.nodes)];
  if (!a.preferred && countA !== countB) {
    if (countA > wanted && countB > wanted) return countA < countB;
    if (countA > wanted || countB > wanted) return countA <= wanted;
    return countA > countB;
  }
  return isNearer(a.nodes, b.nodes, input);
}

function isNearer(a: NUMAMask, b: NUMAMask, { policy, distances }: MergeInput): boolean {
  if (distances === undefined || policy === 'single-numa-node' || nodeCount(a) !== nodeCount(b))
    return isNarrower(a, b);
  const [distanceA, distanceB] = [meanDistance(a, distances), meanDistance(b, distances)];
  return distanceA === distanceB ? a < b : distanceA < distanceB;
}

function meanDistance(mask: NUMAMask, distances: ReadonlyMap<number, readonly number[]>): number {
  const nodes = nodesOf(mask);
  const all = nodes.flatMap((from) => nodes.map((to) => distances.get(from)?.[to] ?? 0));
  return all.reduce((sum, distance) => sum + distance, 0) / all.length;
}
