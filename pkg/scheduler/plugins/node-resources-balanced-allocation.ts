import type { PluginArgs } from '../config/plugin-args.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/plugin.ts';
import { type ScoredResource, scoredResources } from './resource-score.ts';

const NAME = 'NodeResourcesBalancedAllocation';

/** Prefers nodes where resources are used in like parts, so that none runs out alone. */
export function nodeResourcesBalancedAllocation({
  resources,
}: PluginArgs['NodeResourcesBalancedAllocation']): SchedulerPlugin {
  return {
    name: NAME,
    preScore(state, pod) {
      state.write(
        NAME,
        scoredResources(resources, pod, (name) => pod.requests.get(name) ?? 0),
      );
      // Upstream leaves out pods that request nothing: they would all go to the same node.
      return resources.every(({ name }) => !pod.requests.get(name));
    },
    score(state, _pod, node) {
      const scored = state.read<readonly ScoredResource[]>(NAME) ?? [];
      return Math.floor((1 - deviation(scored, node)) * MAX_NODE_SCORE);
    },
  };
}

/** The standard deviation of the used parts of the resources that the node has. */
function deviation(resources: readonly ScoredResource[], node: NodeInfo): number {
  let count = 0;
  let sum = 0;
  let squares = 0;
  let first = 0;
  let last = 0;
  for (const { name, amount } of resources) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0) continue;
    last = Math.min(1, ((node.requested.get(name) ?? 0) + amount) / capacity);
    if (count === 0) first = last;
    count++;
    sum += last;
    squares += last * last;
  }
  if (count < 2) return 0;
  // Of two it is exact.
  if (count === 2) return Math.abs(first - last) / 2;
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean));
}
