import type { Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/**
 * Why a plugin does not let a pod on a node. `resolvable`: removing pods from the node could help (upstream's Unschedulable);
 * otherwise nothing on that node can (UnschedulableAndUnresolvable). Reasons are shown in the pod's event, counted by node.
 */
export interface Rejection {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly resolvable: boolean;
}

/** What plugins remember of one pod between the extension points of one cycle. */
export class CycleState {
  readonly #data = new Map<string, unknown>();

  write(plugin: string, value: unknown): void {
    this.#data.set(plugin, value);
  }

  /** What the same plugin wrote; its type is the plugin's own business. */
  read<T>(plugin: string): T | undefined {
    return this.#data.get(plugin) as T | undefined;
  }
}

/** What happened in the cluster that may make a pod fit. */
export type ClusterEvent =
  | { readonly resource: 'Node'; readonly action: 'Add' | 'Update'; readonly node: NodeInfo }
  | { readonly resource: 'AssignedPod'; readonly action: 'Add' | 'Delete'; readonly pod: DeepReadonly<Pod> }
  | { readonly resource: 'Pod'; readonly action: 'Update'; readonly pod: DeepReadonly<Pod> };

/**
 * One plugin of the framework; every extension point is optional (upstream's PreEnqueue, PreFilter, Filter, PreScore, Score,
 * Bind and so on). All but `reserve`, `preBind` are synchronous: they run for thousands of nodes in one turn.
 */
export interface SchedulerPlugin {
  readonly name: string;
  /** Keeps a pod out of the queue: the reason, or undefined. */
  preEnqueue?(pod: PodInfo): Rejection | undefined;
  /** Looks at the pod alone. `skip`: its filter has nothing to say about this pod. `nodes`: only these can fit. */
  preFilter?(
    state: CycleState,
    pod: PodInfo,
  ): Rejection | { readonly skip?: boolean; readonly nodes?: ReadonlySet<string> } | undefined;
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /** `true`: this plugin does not score this pod. */
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): boolean;
  /** Any scale; `normalize` brings scores to 0..100. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  normalize?(scores: Float64Array): void;
  reserve?(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  unreserve?(state: CycleState, pod: PodInfo, node: NodeInfo): void;
  preBind?(state: CycleState, pod: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<void>;
  /** Whether an event may make a pod fit that this plugin has rejected (upstream's queueing hint). */
  mayHelp?(event: ClusterEvent, pod: PodInfo): boolean;
}

export const MAX_NODE_SCORE = 100;

/** Brings scores to 0..100 by the largest; `reverse` makes the smallest the best. Upstream: DefaultNormalizeScore. */
export function normalizeByMaximum(scores: Float64Array, reverse: boolean): void {
  let maximum = 0;
  for (const score of scores) if (score > maximum) maximum = score;
  for (let i = 0; i < scores.length; i++) {
    const scaled = maximum === 0 ? 0 : Math.floor((MAX_NODE_SCORE * (scores[i] ?? 0)) / maximum);
    scores[i] = reverse ? MAX_NODE_SCORE - scaled : scaled;
  }
}
