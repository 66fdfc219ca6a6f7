import { CycleState, type Rejection, type SchedulerPlugin } from './framework/framework.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { PodInfo } from './framework/pod-info.ts';
import type { EnabledPlugin } from './plugins/index.ts';

export interface Placement {
  readonly node: NodeInfo;
  readonly state: CycleState;
}

/** No node takes the pod. */
export interface NoFit {
  readonly message: string;
  readonly rejectedBy: ReadonlySet<string>;
}

export type CycleResult = { readonly placement: Placement } | { readonly noFit: NoFit };

const MINIMUM_FEASIBLE = 100;
const MINIMUM_PERCENTAGE = 5;

/**
 * One pod's way through the framework: which node is the best for it now. Synchronous and free of side effects but for the
 * rotating start, which spreads the search over a large cluster (upstream: nextStartNodeIndex, percentageOfNodesToScore).
 */
export class SchedulingCycle {
  readonly #plugins: readonly EnabledPlugin[];
  readonly #random: () => number;
  #start = 0;

  constructor(plugins: readonly EnabledPlugin[], random: () => number) {
    this.#plugins = plugins;
    this.#random = random;
  }

  run(pod: PodInfo, nodes: readonly NodeInfo[]): CycleResult {
    if (nodes.length === 0)
      return {
        noFit: {
          message: 'no nodes available to schedule pods',
          rejectedBy: new Set(this.#plugins.map(({ plugin }) => plugin.name)),
        },
      };
    const state = new CycleState();
    const filters: SchedulerPlugin[] = [];
    let candidates = nodes;
    for (const { plugin } of this.#plugins) {
      const outcome = plugin.preFilter?.(state, pod);
      if (outcome !== undefined && 'reasons' in outcome) return { noFit: rejectedAsAWhole(outcome, nodes.length) };
      if (outcome?.nodes !== undefined) candidates = candidates.filter((node) => outcome.nodes?.has(node.name));
      if (plugin.filter !== undefined && outcome?.skip !== true) filters.push(plugin);
    }
    const rejections: Rejection[] = [];
    const feasible = this.#findFeasible(state, pod, candidates, filters, rejections);
    if (feasible.length === 0) {
      // Nodes that preFilter left out were refused by their affinity.
      const leftOut = nodes.length - candidates.length;
      for (let i = 0; i < leftOut; i++)
        rejections.push({
          plugin: 'NodeAffinity',
          reasons: ["node(s) didn't match Pod's node affinity/selector"],
          resolvable: false,
        });
      return {
        noFit: {
          message: summary(rejections, nodes.length),
          rejectedBy: new Set(rejections.map(({ plugin }) => plugin)),
        },
      };
    }
    const [only] = feasible;
    const node = feasible.length === 1 && only !== undefined ? only : this.#best(state, pod, feasible);
    return { placement: { node, state } };
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    candidates: readonly NodeInfo[],
    filters: readonly SchedulerPlugin[],
    rejections: Rejection[],
  ): NodeInfo[] {
    const wanted = feasibleNodesToFind(candidates.length);
    const feasible: NodeInfo[] = [];
    let looked = 0;
    for (; looked < candidates.length && feasible.length < wanted; looked++) {
      const node = candidates[(this.#start + looked) % candidates.length];
      if (node === undefined) continue;
      const rejection = firstRejection(filters, state, pod, node);
      if (rejection === undefined) feasible.push(node);
      else rejections.push(rejection);
    }
    if (candidates.length > 0) this.#start = (this.#start + looked) % candidates.length;
    return feasible;
  }

  #best(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[]): NodeInfo {
    const totals = new Float64Array(feasible.length);
    for (const { plugin, weight } of this.#plugins) {
      if (plugin.score === undefined || weight === 0 || plugin.preScore?.(state, pod, feasible) === true) continue;
      const scores = new Float64Array(feasible.length);
      for (const [index, node] of feasible.entries()) scores[index] = plugin.score(state, pod, node);
      plugin.normalize?.(scores);
      for (const [index, score] of scores.entries()) totals[index] = (totals[index] ?? 0) + weight * score;
    }
    // Among equals each is as likely: reservoir sampling.
    let best = 0;
    let equals = 1;
    for (let i = 1; i < totals.length; i++) {
      const difference = (totals[i] ?? 0) - (totals[best] ?? 0);
      if (difference > 0) {
        best = i;
        equals = 1;
      } else if (difference === 0) {
        equals++;
        if (this.#random() * equals < 1) best = i;
      }
    }
    return feasible[best] as NodeInfo;
  }
}

function firstRejection(
  filters: readonly SchedulerPlugin[],
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
): Rejection | undefined {
  for (const plugin of filters) {
    const rejection = plugin.filter?.(state, pod, node);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
}

/** All of a small cluster; of a large one a part that shrinks with its size, but never under 100 nodes. */
export function feasibleNodesToFind(total: number): number {
  if (total <= MINIMUM_FEASIBLE) return total;
  const percentage = Math.max(MINIMUM_PERCENTAGE, 50 - Math.floor(total / 125));
  return Math.max(MINIMUM_FEASIBLE, Math.floor((total * percentage) / 100));
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function summary(rejections: readonly Rejection[], total: number): string {
  const counts = new Map<string, number>();
  for (const { reasons } of rejections) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const texts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${total} nodes are available: ${texts.join(', ')}.`;
}

function rejectedAsAWhole(rejection: Rejection, total: number): NoFit {
  return {
    message: `0/${total} nodes are available: ${rejection.reasons.join(', ')}.`,
    rejectedBy: new Set([rejection.plugin]),
  };
}
