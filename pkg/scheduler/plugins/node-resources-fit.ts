import type { PluginArgs } from '../config/plugin-args.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { ResourceDemands } from './resource-demands.ts';
import {
  isExtendedResource,
  resourceScorer,
  type ScoredResource,
  scoredResources,
  scoreNode,
} from './resource-score.ts';

const NAME = 'NodeResourcesFit';
const SCORE = `${NAME}Score`;

/** Requests fit into what the node can give; how nodes are scored is set by the scoring strategy. */
export function nodeResourcesFit(
  args: PluginArgs['NodeResourcesFit'],
  { devices }: Pick<PluginHandle, 'devices'>,
): SchedulerPlugin {
  const ignored = new Set(args.ignoredResources);
  const ignoredGroups = new Set(args.ignoredResourceGroups);
  const isIgnored = (name: string): boolean =>
    isExtendedResource(name) && (ignored.has(name) || ignoredGroups.has(name.split('/')[0] ?? ''));
  const { type, resources } = args.scoringStrategy;
  const scorer = resourceScorer(args.scoringStrategy);
  const byRatio = type === 'RequestedToCapacityRatio';
  const demandsOf = (pod: PodInfo): ResourceDemands =>
    new ResourceDemands(NAME, pod, isIgnored, (name) => devices.classForResource(name) !== undefined);
  return {
    name: NAME,
    preFilter(state, pod) {
      state.write(NAME, demandsOf(pod));
      return undefined;
    },
    filter: (state, pod, node) => (state.read<ResourceDemands>(NAME) ?? demandsOf(pod)).rejectionOf(node),
    preScore(state, pod) {
      const amountOf = (name: string): number =>
        name === 'cpu' ? pod.scoredCPU : name === 'memory' ? pod.scoredMemory : (pod.requests.get(name) ?? 0);
      state.write(SCORE, scoredResources(resources, pod, amountOf));
      return false;
    },
    score: (state, _pod, node) => scoreNode(byRatio, scorer, state.read<readonly ScoredResource[]>(SCORE) ?? [], node),
    mayHelp: (event, pod) =>
      event.resource === 'DeviceClass' ? devices.extendedResources(pod).length > 0 : mayHelp(event, pod, demandsOf),
  };
}

function mayHelp(event: ClusterEvent, pod: PodInfo, demandsOf: (pod: PodInfo) => ResourceDemands): boolean {
  switch (event.resource) {
    case 'Node':
      return event.action !== 'Delete' && demandsOf(pod).fits(event.node);
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
