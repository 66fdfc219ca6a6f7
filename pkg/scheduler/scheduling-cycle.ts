import type { ClusterState } from './cluster/cluster-state.ts';
import { CycleState } from './framework/cycle-state.ts';
import type { Diagnosis } from './framework/diagnosis.ts';
import type { Framework, PreFilterOutcome } from './framework/framework.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from './framework/plugin.ts';
import type { PodInfo } from './framework/pod-info.ts';

/** Nodes that take a pod, or why none does. */
export interface Search {
  readonly state: CycleState;
  readonly feasible: readonly NodeInfo[];
  readonly diagnosis: Diagnosis;
}

const MINIMUM_FEASIBLE = 100;
const MINIMUM_PERCENTAGE = 5;

/**
 * Which nodes take a pod now. Free of side effects but for the rotating start, which spreads the search over a large cluster
 * (upstream: nextStartNodeIndex, percentageOfNodesToScore).
 */
export class SchedulingCycle {
  readonly #cluster: ClusterState;
  #start = 0;

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
  }

  /** `percentageOfNodesToScore`: 0 is adaptive. */
  search(framework: Framework, pod: PodInfo, percentageOfNodesToScore: number): Search {
    const state = new CycleState();
    const { nodes } = this.#cluster;
    const outcome = framework.preFilter(state, pod);
    if ('rejection' in outcome) return { state, feasible: [], diagnosis: refusedAsAWhole(outcome.rejection, nodes) };
    const filters = framework.activeFilters(state);
    const rejections = new Map<string, Rejection>();
    const feasible =
      this.#nominated(framework, filters, state, pod, outcome, rejections) ??
      this.#find(framework, filters, state, pod, this.#candidates(outcome), rejections, percentageOfNodesToScore);
    const absent = outcome.nodes === undefined ? undefined : leftOut(outcome.narrowedBy);
    const plugins = new Set(outcome.narrowedBy);
    for (const { plugin } of rejections.values()) plugins.add(plugin);
    return { state, feasible, diagnosis: { total: nodes.length, rejections, absent, plugins } };
  }

  /** The node that preemption has made room on comes first. */
  #nominated(
    framework: Framework,
    filters: readonly SchedulerPlugin[],
    state: CycleState,
    pod: PodInfo,
    outcome: Exclude<PreFilterOutcome, { rejection: Rejection }>,
    rejections: Map<string, Rejection>,
  ): NodeInfo[] | undefined {
    const name = pod.pod.status.nominatedNodeName;
    const node = name ? this.#cluster.get(name) : undefined;
    if (node?.node === undefined || outcome.nodes?.has(node.name) === false) return undefined;
    const rejection = framework.filter(filters, state, pod, node);
    if (rejection === undefined) return [node];
    rejections.set(node.name, rejection);
    return undefined;
  }

  #candidates(outcome: Exclude<PreFilterOutcome, { rejection: Rejection }>): readonly NodeInfo[] {
    if (outcome.nodes === undefined) return this.#cluster.nodes;
    return [...outcome.nodes].flatMap((name) => {
      const node = this.#cluster.get(name);
      return node?.node === undefined ? [] : [node];
    });
  }

  #find(
    framework: Framework,
    filters: readonly SchedulerPlugin[],
    state: CycleState,
    pod: PodInfo,
    candidates: readonly NodeInfo[],
    rejections: Map<string, Rejection>,
    percentageOfNodesToScore: number,
  ): NodeInfo[] {
    const total = candidates.length;
    const wanted = feasibleNodesToFind(total, percentageOfNodesToScore);
    const feasible: NodeInfo[] = [];
    let looked = 0;
    for (; looked < total && feasible.length < wanted; looked++) {
      const node = candidates[(this.#start + looked) % total] as NodeInfo;
      const rejection = framework.filter(filters, state, pod, node);
      if (rejection === undefined) feasible.push(node);
      else rejections.set(node.name, rejection);
    }
    // A pod for a few nodes says nothing about where the next search should start.
    if (total > 0 && candidates === this.#cluster.nodes) this.#start = (this.#start + looked) % total;
    return feasible;
  }
}

/** All of a small cluster; of a large one a part that shrinks with its size, but never under 100 nodes. */
export function feasibleNodesToFind(total: number, configuredPercentage = 0): number {
  if (total < MINIMUM_FEASIBLE) return total;
  const percentage =
    configuredPercentage === 0 ? Math.max(MINIMUM_PERCENTAGE, 50 - Math.floor(total / 125)) : configuredPercentage;
  return Math.max(MINIMUM_FEASIBLE, Math.floor((total * percentage) / 100));
}

function refusedAsAWhole(rejection: Rejection, nodes: readonly NodeInfo[]): Diagnosis {
  return {
    total: nodes.length,
    rejections: new Map(),
    absent: rejection,
    preFilterMessage: rejection.reasons.join(', '),
    plugins: new Set([rejection.plugin]),
  };
}

function leftOut(narrowedBy: readonly string[]): Rejection {
  return {
    plugin: narrowedBy[0] ?? '',
    reasons: [`node(s) didn't satisfy plugin(s) [${narrowedBy.toSorted().join(' ')}]`],
    resolvable: false,
  };
}
