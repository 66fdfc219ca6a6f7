import type { ClusterEvent } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { Diagnosis } from './diagnosis.ts';
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

/** `skip`: the plugin's filter has nothing to say about this pod. `nodes`: only these can fit. */
export interface PreFilterResult {
  readonly skip?: boolean;
  readonly nodes?: ReadonlySet<string> | undefined;
}

/** What a PostFilter plugin made possible: `nominatedNode` is '' when an earlier nomination is to be forgotten. */
export interface PostFilterResult {
  readonly nominatedNode?: string;
  /** For the pod's event: why nothing could be done. */
  readonly message?: string;
  /** The plugin failed: no other is asked. */
  readonly isFinal?: boolean;
  /** The pod will fit once what was started is done. */
  readonly success: boolean;
}

/**
 * One plugin of the framework; every extension point is optional. All but `permit`, `preBind`, `bind` and, where an extender is
 * asked, `postFilter` are synchronous: they
 * run for thousands of nodes in one turn, and no other event changes the cluster's state meanwhile.
 */
export interface SchedulerPlugin {
  readonly name: string;
  /** Keeps a pod out of the queue: the reason, or undefined. */
  preEnqueue?(pod: PodInfo): Rejection | undefined;
  /** QueueSort: whether `a` is tried before `b`; 0 or less keeps the order of arrival. */
  sortsBefore?(a: PodInfo, b: PodInfo): number;
  /** Looks at the pod and the cluster as a whole. */
  preFilter?(state: CycleState, pod: PodInfo): Rejection | PreFilterResult | undefined;
  /** PreFilterExtensions: as if `other` were on `node`, or no longer there. Changes only `state`. */
  addPod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  removePod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /** Runs when no node fits; may make room. */
  postFilter?(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): PostFilterResult | Promise<PostFilterResult>;
  /** `true`: this plugin does not score this pod. */
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): boolean;
  /** Any scale; `normalize` brings scores to 0..100. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  normalize?(scores: Float64Array, state: CycleState, nodes: readonly NodeInfo[]): void;
  reserve?(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  unreserve?(state: CycleState, pod: PodInfo, node: NodeInfo): void;
  /** Delays or refuses the binding. */
  permit?(state: CycleState, pod: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<Rejection | undefined>;
  preBind?(state: CycleState, pod: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<void>;
  /** False: not a pod that this plugin binds. */
  bind?(state: CycleState, pod: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<boolean>;
  postBind?(state: CycleState, pod: PodInfo, node: NodeInfo): void;
  /** Whether an event may make a pod fit that this plugin has rejected (upstream's queueing hint). Absent: any event may. */
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
