import type { ClusterState } from '../cluster/cluster-state.ts';
import type { Nominator } from '../cluster/nominator.ts';
import type { CycleState } from './cycle-state.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { NodeInfo } from './node-info.ts';
import type { PostFilterResult, Rejection, SchedulerPlugin } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

/** The extension points that a configuration may enable plugins at, as upstream names them. */
export const EXTENSION_POINTS = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const;
export type ExtensionPoint = (typeof EXTENSION_POINTS)[number];

/** A score's part in the sum. */
export interface ScorePlugin {
  readonly plugin: SchedulerPlugin;
  readonly weight: number;
}

/** One profile's plugins in the order in which they run, by extension point. */
export type PluginSet = Readonly<Record<Exclude<ExtensionPoint, 'score'>, readonly SchedulerPlugin[]>> & {
  readonly score: readonly ScorePlugin[];
};

export interface FrameworkDeps {
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
}

export type PreFilterOutcome =
  | { readonly rejection: Rejection }
  /** `nodes`: only these can fit, and `narrowedBy` are the plugins that say so. */
  | { readonly nodes: ReadonlySet<string> | undefined; readonly narrowedBy: readonly string[] };

/** The plugins of one profile, run point by point. Corresponds to upstream's frameworkImpl. */
export class Framework {
  readonly profileName: string;
  readonly plugins: PluginSet;
  readonly #deps: FrameworkDeps;

  constructor(profileName: string, plugins: PluginSet, deps: FrameworkDeps) {
    this.profileName = profileName;
    this.plugins = plugins;
    this.#deps = deps;
  }

  /** Every plugin of the profile once. */
  all(): readonly SchedulerPlugin[] {
    const { score, ...others } = this.plugins;
    return [...new Set([...Object.values(others).flat(), ...score.map(({ plugin }) => plugin)])];
  }

  preEnqueue(pod: PodInfo): Rejection | undefined {
    for (const plugin of this.plugins.preEnqueue) {
      const rejection = plugin.preEnqueue?.(pod);
      if (rejection !== undefined) return rejection;
    }
    return undefined;
  }

  preFilter(state: CycleState, pod: PodInfo): PreFilterOutcome {
    let nodes: ReadonlySet<string> | undefined;
    const narrowedBy: string[] = [];
    for (const plugin of this.plugins.preFilter) {
      const outcome = plugin.preFilter?.(state, pod);
      if (outcome === undefined) continue;
      if ('reasons' in outcome) return { rejection: outcome };
      if (outcome.skip === true) state.skippedFilters.add(plugin.name);
      if (outcome.nodes === undefined) continue;
      narrowedBy.push(plugin.name);
      const before = nodes;
      nodes = before === undefined ? outcome.nodes : new Set([...outcome.nodes].filter((name) => before.has(name)));
      if (nodes.size === 0) return { rejection: noNodeLeft(plugin.name, narrowedBy) };
    }
    return { nodes, narrowedBy };
  }

  /** The filters that have something to say about the pod of this state. */
  activeFilters(state: CycleState): readonly SchedulerPlugin[] {
    return this.plugins.filter.filter(({ name }) => !state.skippedFilters.has(name));
  }

  /**
   * Whether a node takes the pod: both with the pods of at least its priority that are nominated for the node (they have a
   * right to their room) and without them (they may never come). Upstream: RunFilterPluginsWithNominatedPods.
   */
  filter(filters: readonly SchedulerPlugin[], state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined {
    // Upstream asks in the other order; what both refuse is refused here without a copy of the node.
    const rejection = firstRejection(filters, state, pod, node);
    if (rejection !== undefined || this.#deps.nominator.size === 0) return rejection;
    const others = [...this.#deps.nominator.on(node.name).values()].filter(
      ({ uid, priority }) => uid !== pod.uid && priority >= pod.priority,
    );
    if (others.length === 0) return undefined;
    const { state: fuller, node: full } = this.#withPods(state, pod, node, others);
    return firstRejection(filters, fuller, pod, full);
  }

  addPod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    node.addPod(other);
    for (const plugin of this.plugins.preFilter) {
      if (!state.skippedFilters.has(plugin.name)) plugin.addPod?.(state, pod, other, node);
    }
  }

  removePod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    node.removePod(other.uid);
    for (const plugin of this.plugins.preFilter) {
      if (!state.skippedFilters.has(plugin.name)) plugin.removePod?.(state, pod, other, node);
    }
  }

  /** Tries the plugins until one succeeds; what the others say is put together. */
  async postFilter(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): Promise<PostFilterResult> {
    const messages: string[] = [];
    let nominatedNode: string | undefined;
    for (const plugin of this.plugins.postFilter) {
      const result = await plugin.postFilter?.(state, pod, diagnosis);
      if (result === undefined) continue;
      if (result.success || result.isFinal === true) return result;
      if (result.message !== undefined) messages.push(result.message);
      nominatedNode = result.nominatedNode ?? nominatedNode;
    }
    const message = messages.join(', ');
    return { success: false, message, ...(nominatedNode === undefined ? {} : { nominatedNode }) };
  }

  /** Weighted sums of the normalized scores, in the order of `nodes`; `each` hears of every plugin's own. */
  score(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    each?: (plugin: string, scores: Float64Array, weight: number) => void,
  ): Float64Array {
    const totals = new Float64Array(nodes.length);
    const scoring = this.plugins.preScore;
    const skipped = new Set<string>();
    for (const plugin of scoring) if (plugin.preScore?.(state, pod, nodes) === true) skipped.add(plugin.name);
    const scores = new Float64Array(nodes.length);
    for (const { plugin, weight } of this.plugins.score) {
      if (plugin.score === undefined || skipped.has(plugin.name)) continue;
      for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, pod, nodes[i] as NodeInfo);
      plugin.normalize?.(scores, state, nodes);
      each?.(plugin.name, scores, weight);
      for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] ?? 0) + weight * (scores[i] ?? 0);
    }
    return totals;
  }

  /** Reserves with every plugin or with none. */
  reserve(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined {
    for (const plugin of this.plugins.reserve) {
      const rejection = plugin.reserve?.(state, pod, node);
      if (rejection !== undefined) {
        this.unreserve(state, pod, node);
        return rejection;
      }
    }
    return undefined;
  }

  unreserve(state: CycleState, pod: PodInfo, node: NodeInfo): void {
    for (const plugin of this.plugins.reserve.toReversed()) plugin.unreserve?.(state, pod, node);
  }

  #withPods(
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    others: readonly PodInfo[],
  ): { state: CycleState; node: NodeInfo } {
    const copies = { state: state.clone(), node: node.clone() };
    for (const other of others) this.addPod(copies.state, pod, other, copies.node);
    return copies;
  }
}

/** Filters run in order; the first to refuse gives the reason. */
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

function noNodeLeft(plugin: string, narrowedBy: readonly string[]): Rejection {
  const reason =
    narrowedBy.length === 1
      ? `node(s) didn't satisfy plugin ${narrowedBy[0]}`
      : `node(s) didn't satisfy plugin(s) [${narrowedBy.join(' ')}] simultaneously`;
  return { plugin, reasons: [reason], resolvable: false };
}

/** The best of some scores; among equals each is as likely (reservoir sampling). `random` is in [0, 1). */
export function pickBest(totals: Float64Array, random: () => number): number {
  let best = 0;
  let equals = 1;
  for (let i = 1; i < totals.length; i++) {
    const difference = (totals[i] ?? 0) - (totals[best] ?? 0);
    if (difference > 0) {
      best = i;
      equals = 1;
    } else if (difference === 0) {
      equals++;
      if (random() * equals < 1) best = i;
    }
  }
  return best;
}
