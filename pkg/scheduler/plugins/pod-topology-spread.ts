import { podMatchesNode } from '../../api/scheduling/node-selector.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE, type Rejection, type SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import {
  countsEveryNode,
  countsNode,
  HOSTNAME,
  hasKeys,
  type SpreadConstraint,
  spreadConstraints,
} from './spread-constraints.ts';
import { SpreadDomains } from './spread-domains.ts';

const NAME = 'PodTopologySpread';
const SKEW: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints"],
  resolvable: true,
};
const NO_LABEL: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  resolvable: false,
};

class FilterState {
  readonly domains: readonly SpreadDomains[];

  constructor(domains: readonly SpreadDomains[]) {
    this.domains = domains;
  }

  clone(): FilterState {
    return new FilterState(this.domains.map((one) => one.clone()));
  }
}

interface ScoreState {
  readonly parts: readonly ScorePart[];
  /** Nodes that lack a key that is required of them. */
  readonly ignored: ReadonlySet<string>;
}

interface ScorePart {
  readonly constraint: SpreadConstraint;
  /** Matching pods at a node's place. */
  readonly countAt: (node: NodeInfo) => number;
  /** The more domains there are, the more a pod in one of them says. */
  readonly weight: number;
}

/** Spreads the pods that a constraint selects evenly over the values of a node label. */
export function podTopologySpread(args: PluginArgs['PodTopologySpread'], handle: PluginHandle): SchedulerPlugin {
  const { cluster, informers } = handle;
  const change = (state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1): void => {
    for (const domains of state.read<FilterState>(NAME)?.domains ?? []) domains.change(pod, other, node, amount);
  };
  return {
    name: NAME,
    preFilter(state, pod) {
      const { constraints } = spreadConstraints(pod, 'DoNotSchedule', args, informers);
      if (constraints.length === 0) return { skip: true };
      state.write(NAME, new FilterState(constraints.map((one) => SpreadDomains.of(one, constraints, pod, cluster))));
      return undefined;
    },
    addPod: (state, pod, other, node) => change(state, pod, other, node, 1),
    removePod: (state, pod, other, node) => change(state, pod, other, node, -1),
    filter(state, pod, node) {
      for (const domains of state.read<FilterState>(NAME)?.domains ?? []) {
        const { topologyKey, matcher, maxSkew } = domains.constraint;
        const value = node.labels[topologyKey];
        if (value === undefined) return NO_LABEL;
        if (domains.skewAt(value, matcher.matches(pod) ? 1 : 0) > maxSkew) return SKEW;
      }
      return undefined;
    },
    preScore(state, pod, nodes) {
      const { constraints, systemDefaulted } = spreadConstraints(pod, 'ScheduleAnyway', args, informers);
      if (constraints.length === 0) return true;
      const ignored = systemDefaulted
        ? new Set<string>()
        : new Set(nodes.filter((node) => !hasKeys(constraints, node)).map(({ name }) => name));
      const parts = constraints.map((one) => scorePart(one, constraints, pod, nodes, ignored, handle, systemDefaulted));
      state.write(`${NAME}Score`, { parts, ignored } satisfies ScoreState);
      return false;
    },
    score(state, _pod, node) {
      const { parts, ignored } = state.read<ScoreState>(`${NAME}Score`) ?? { parts: [], ignored: new Set() };
      if (ignored.has(node.name)) return 0;
      let sum = 0;
      for (const { constraint, countAt, weight } of parts) {
        if (node.labels[constraint.topologyKey] !== undefined) {
          sum += countAt(node) * weight + (constraint.maxSkew - 1);
        }
      }
      return Math.round(sum);
    },
    normalize(scores, state, nodes) {
      invert(scores, nodes, state.read<ScoreState>(`${NAME}Score`)?.ignored ?? new Set());
    },
    mayHelp: (event, pod) => mayHelp(event, pod, args, handle),
  };
}

function scorePart(
  constraint: SpreadConstraint,
  all: readonly SpreadConstraint[],
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  ignored: ReadonlySet<string>,
  { cluster }: PluginHandle,
  systemDefaulted: boolean,
): ScorePart {
  const { topologyKey, matcher } = constraint;
  const placed = cluster.podCounts.of(matcher);
  if (topologyKey === HOSTNAME) {
    const weight = Math.log(nodes.length - ignored.size + 2);
    return { constraint, countAt: (node) => placed.on(node.name), weight };
  }
  const values = new Set<string>();
  for (const { name, labels } of nodes) {
    const value = labels[topologyKey];
    if (value !== undefined && !ignored.has(name)) values.add(value);
  }
  let counts: ReadonlyMap<string, number>;
  const needsAllKeys = !systemDefaulted && all.length > 1;
  if (countsEveryNode(constraint, pod) && !needsAllKeys) {
    counts = placed.by(topologyKey);
  } else {
    const sums = new Map<string, number>();
    for (const node of cluster.nodes) {
      if ((needsAllKeys && !hasKeys(all, node)) || !countsNode(constraint, pod, node)) continue;
      const value = node.labels[topologyKey];
      if (value !== undefined) sums.set(value, (sums.get(value) ?? 0) + placed.on(node.name));
    }
    counts = sums;
  }
  return {
    constraint,
    countAt: (node) => counts.get(node.labels[topologyKey] ?? '') ?? 0,
    weight: Math.log(values.size + 2),
  };
}

/** Few pods are best: turns counts into scores 0..100; ignored nodes get 0. */
function invert(scores: Float64Array, nodes: readonly NodeInfo[], ignored: ReadonlySet<string>): void {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = 0;
  for (const [i, score] of scores.entries()) {
    if (ignored.has(nodes[i]?.name ?? '')) continue;
    minimum = Math.min(minimum, score);
    maximum = Math.max(maximum, score);
  }
  for (const [i, score] of scores.entries()) {
    if (ignored.has(nodes[i]?.name ?? '')) scores[i] = 0;
    else if (maximum === 0) scores[i] = MAX_NODE_SCORE;
    else scores[i] = Math.floor((MAX_NODE_SCORE * (maximum + minimum - score)) / maximum);
  }
}

function mayHelp(
  event: ClusterEvent,
  pod: PodInfo,
  args: PluginArgs['PodTopologySpread'],
  { informers }: PluginHandle,
): boolean {
  const constraints = (): readonly SpreadConstraint[] =>
    spreadConstraints(pod, 'DoNotSchedule', args, informers).constraints;
  switch (event.resource) {
    case 'Pod':
      return true;
    case 'AssignedPod':
      return constraints().some(
        ({ matcher }) =>
          matcher.matches(event.pod) ||
          (event.action === 'Update' && matcher.matches(event.old)) ||
          (event.action === 'Delete' && event.pod.pod.metadata.namespace === pod.pod.metadata.namespace),
      );
    case 'Node': {
      if (event.action === 'Delete') return constraints().length > 0;
      if (!hasKeys(constraints(), event.node)) return event.action === 'Update';
      return event.action === 'Update' || podMatchesNode(pod.pod.spec, event.node);
    }
    default:
      return false;
  }
}
