import type { LabelSelector, Pod, TopologySpreadConstraint } from '../../api/generated/types.ts';
import { podMatchesNode } from '../../api/scheduling/node-selector.ts';
import { untoleratedTaint } from '../../api/scheduling/tolerations.ts';
import { isEmptySelector, matchesLabelSelector, matchesLabels } from '../../api/selector.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { PodMatcher } from '../cluster/pod-counts.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import { withLabelKeys } from '../framework/affinity-term.ts';
import type { PluginHandle, SchedulerInformers } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';

export const HOSTNAME = 'kubernetes.io/hostname';

type ReadPod = DeepReadonly<Pod>;
type Selector = DeepReadonly<LabelSelector>;

/** A constraint with its defaults worked in. */
export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly minDomains: number;
  readonly matcher: PodMatcher;
  /** Only nodes that the pod's node affinity and selector take count. */
  readonly honorAffinity: boolean;
  /** Only nodes whose taints the pod tolerates count. */
  readonly honorTaints: boolean;
}

export interface SpreadConstraints {
  readonly constraints: readonly SpreadConstraint[];
  /** They are the system's defaults: nodes without one of the keys are scored all the same. */
  readonly systemDefaulted: boolean;
}

/** Upstream's built-in defaults: gently over hosts and zones. */
const SYSTEM_DEFAULTS: readonly DeepReadonly<TopologySpreadConstraint>[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
];

/**
 * The pod's constraints with the given action. A pod without any gets the default ones, about the pods that its services
 * and controllers select; without such it gets none.
 */
export function spreadConstraints(
  { pod }: PodInfo,
  action: 'DoNotSchedule' | 'ScheduleAnyway',
  { defaultConstraints, defaultingType }: PluginArgs['PodTopologySpread'],
  informers: PluginHandle['informers'],
): SpreadConstraints {
  const own = pod.spec.topologySpreadConstraints ?? [];
  if (own.length > 0) {
    const constraints = own
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
      .map((constraint) => resolve(constraint, pod, [withLabelKeys(pod, constraint)]));
    return { constraints, systemDefaulted: false };
  }
  const systemDefaulted = defaultingType === 'System';
  const defaults = (systemDefaulted ? SYSTEM_DEFAULTS : defaultConstraints).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === action,
  );
  if (defaults.length === 0) return { constraints: [], systemDefaulted };
  const selectors = ownerSelectors(pod, informers);
  if (selectors.length === 0) return { constraints: [], systemDefaulted };
  return { constraints: defaults.map((constraint) => resolve(constraint, pod, selectors)), systemDefaulted };
}

function resolve(
  constraint: DeepReadonly<TopologySpreadConstraint>,
  pod: ReadPod,
  selectors: readonly (Selector | undefined)[],
): SpreadConstraint {
  const { namespace } = pod.metadata;
  const matcher: PodMatcher = {
    key: `spread ${JSON.stringify([namespace, selectors])}`,
    namespaces: new Set([namespace]),
    byNamespaceLabels: false,
    // Pods on their way out leave their place.
    matches: ({ pod: other }) =>
      other.metadata.namespace === namespace &&
      other.metadata.deletionTimestamp === undefined &&
      selectors.every((selector) => matchesLabelSelector(selector, other.metadata.labels)),
  };
  return {
    maxSkew: constraint.maxSkew,
    topologyKey: constraint.topologyKey,
    minDomains: constraint.minDomains ?? 1,
    matcher,
    honorAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorTaints: constraint.nodeTaintsPolicy === 'Honor',
  };
}

/** What selects the pod: its services together with its controller. Upstream: helper.DefaultSelector. */
function ownerSelectors(pod: ReadPod, informers: SchedulerInformers): Selector[] {
  const { namespace, labels, ownerReferences = [] } = pod.metadata;
  const selectors: Selector[] = [];
  for (const { spec } of informers.services.lister.list(namespace)) {
    const { selector = {} } = spec;
    if (Object.keys(selector).length > 0 && matchesLabels(selector, labels)) selectors.push({ matchLabels: selector });
  }
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return selectors;
  const key = `${namespace}/${owner.name}`;
  if (owner.kind === 'ReplicationController' && owner.apiVersion === 'v1') {
    const selector = informers.replicationControllers.lister.get(key)?.spec.selector;
    if (selector !== undefined) selectors.push({ matchLabels: selector });
  } else if (owner.apiVersion === 'apps/v1' && (owner.kind === 'ReplicaSet' || owner.kind === 'StatefulSet')) {
    const { replicaSets, statefulSets } = informers;
    const selector = (owner.kind === 'ReplicaSet' ? replicaSets : statefulSets).lister.get(key)?.spec.selector;
    if (selector !== undefined && !isEmptySelector(selector)) selectors.push(selector);
  }
  return selectors;
}

/** Whether the pods of a node count for a constraint. */
export function countsNode(
  { honorAffinity, honorTaints }: SpreadConstraint,
  { pod: { spec } }: PodInfo,
  node: NodeInfo,
): boolean {
  if (honorAffinity && !podMatchesNode(spec, node)) return false;
  return (
    !honorTaints ||
    untoleratedTaint(node.node?.spec.taints, spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined
  );
}

/** Whether every node counts for a constraint, whatever its labels and taints. */
export function countsEveryNode({ honorAffinity, honorTaints }: SpreadConstraint, { pod: { spec } }: PodInfo): boolean {
  const selects =
    Object.keys(spec.nodeSelector ?? {}).length > 0 ||
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
  return !honorTaints && !(honorAffinity && selects);
}

export function hasKeys(constraints: readonly SpreadConstraint[], { labels }: NodeInfo): boolean {
  return constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);
}
