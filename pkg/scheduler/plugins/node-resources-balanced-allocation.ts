import type { PluginArgs } from '../config/plugin-args.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { isUnwanted, requestWith } from './resource-score.ts';

/** Prefers nodes where resources are used in like parts, so that none runs out alone. */
export function nodeResourcesBalancedAllocation({
  resources,
}: PluginArgs['NodeResourcesBalancedAllocation']): SchedulerPlugin {
  const names = resources.map(({ name }) => name);
  return {
    name: 'NodeResourcesBalancedAllocation',
    // Upstream leaves out pods that request nothing: they would all go to the same node.
    preScore: (_state, { requests }) => names.every((name) => !requests.get(name)),
    score: (_state, pod, node) => Math.floor((1 - deviation(usedParts(names, pod, node))) * MAX_NODE_SCORE),
  };
}

function usedParts(names: readonly string[], pod: PodInfo, node: NodeInfo): number[] {
  const parts: number[] = [];
  for (const name of names) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0 || isUnwanted(name, pod)) continue;
    parts.push(Math.min(1, requestWith(name, pod, node) / capacity));
  }
  return parts;
}

/** The standard deviation. */
function deviation(parts: readonly number[]): number {
  if (parts.length < 2) return 0;
  const [first = 0, second = 0] = parts;
  if (parts.length === 2) return Math.abs(first - second) / 2;
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  return Math.sqrt(parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / parts.length);
}
