import type { PluginArgs } from '../config/plugin-args.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import {
  isExtendedResource,
  resourceScorer,
  type ScoredResource,
  scoredResources,
  scoreNode,
} from './resource-score.ts';

const NAME = 'NodeResourcesFit';
const SCORE = `${NAME}Score`;

/** A resource that a node has too little of for a pod. */
export interface Lack {
  /** `pods` when there are too many of them. */
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly allocatable: number;
}

/** Requests fit into what the node can give; how nodes are scored is set by the scoring strategy. */
export function nodeResourcesFit(args: PluginArgs['NodeResourcesFit']): SchedulerPlugin {
  const ignored = new Set(args.ignoredResources);
  const ignoredGroups = new Set(args.ignoredResourceGroups);
  const isIgnored = (name: string): boolean =>
    isExtendedResource(name) && (ignored.has(name) || ignoredGroups.has(name.split('/')[0] ?? ''));
  const { type, resources } = args.scoringStrategy;
  const scorer = resourceScorer(args.scoringStrategy);
  const byRatio = type === 'RequestedToCapacityRatio';
  const demandsOf = ({ requests }: PodInfo): Demands =>
    [...requests].filter(([name, amount]) => amount > 0 && !isIgnored(name));
  return {
    name: NAME,
    preFilter(state, pod) {
      state.write(NAME, demandsOf(pod));
      return undefined;
    },
    filter(state, pod, node) {
      const demands = state.read<Demands>(NAME) ?? demandsOf(pod);
      return fits(demands, node) ? undefined : rejection(insufficientResources(pod, node, isIgnored));
    },
    preScore(state, pod) {
      const amountOf = (name: string): number =>
        name === 'cpu' ? pod.scoredCPU : name === 'memory' ? pod.scoredMemory : (pod.requests.get(name) ?? 0);
      state.write(SCORE, scoredResources(resources, pod, amountOf));
      return false;
    },
    score: (state, _pod, node) => scoreNode(byRatio, scorer, state.read<readonly ScoredResource[]>(SCORE) ?? [], node),
    mayHelp: (event, pod) => mayHelp(event, pod, demandsOf),
  };
}

/** What is asked of a node: amounts above zero by resource. */
type Demands = readonly (readonly [name: string, amount: number])[];

/** The common case, without building lists. */
function fits(demands: Demands, node: NodeInfo): boolean {
  if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) return false;
  for (const demand of demands) {
    const name = demand[0];
    if (demand[1] > (node.allocatable.get(name) ?? 0) - (node.requested.get(name) ?? 0)) return false;
  }
  return true;
}

/** In upstream's order: pods, CPU, memory, ephemeral storage, others by name. */
export function insufficientResources(
  { requests }: PodInfo,
  node: NodeInfo,
  isIgnored: (name: string) => boolean = () => false,
): Lack[] {
  const lacking: Lack[] = [];
  const maxPods = node.allocatable.get('pods') ?? 0;
  if (node.pods.size + 1 > maxPods) {
    lacking.push({ resource: 'pods', requested: 1, used: node.pods.size, allocatable: maxPods });
  }
  const first = ['cpu', 'memory', 'ephemeral-storage'];
  const others = [...requests.keys()].filter((name) => !first.includes(name)).sort();
  for (const name of [...first, ...others]) {
    const amount = requests.get(name) ?? 0;
    if (amount === 0 || isIgnored(name)) continue;
    const allocatable = node.allocatable.get(name) ?? 0;
    const used = node.requested.get(name) ?? 0;
    if (amount > allocatable - used) lacking.push({ resource: name, requested: amount, used, allocatable });
  }
  return lacking;
}

function rejection(lacking: readonly Lack[]): Rejection {
  return {
    plugin: NAME,
    reasons: lacking.map(({ resource }) => (resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`)),
    // What exceeds the whole node is not helped by removing pods.
    resolvable: lacking.every(
      ({ resource, requested, allocatable }) => resource === 'pods' || requested <= allocatable,
    ),
  };
}

function mayHelp(event: ClusterEvent, pod: PodInfo, demandsOf: (pod: PodInfo) => Demands): boolean {
  switch (event.resource) {
    case 'Node':
      return event.action !== 'Delete' && fits(demandsOf(pod), event.node);
    case 'AssignedPod':
      return event.action === 'Delete' || (event.action === 'Update' && isSmaller(event.pod, event.old));
    case 'Pod':
      return true;
    default:
      return false;
  }
}

function isSmaller({ requests }: PodInfo, before: PodInfo): boolean {
  return [...before.requests].some(([name, amount]) => (requests.get(name) ?? 0) < amount);
}
