import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/framework.ts';

/** Prefers nodes where CPU and memory are used in like parts, so that neither runs out alone. */
export const nodeResourcesBalancedAllocation: SchedulerPlugin = {
  name: 'NodeResourcesBalancedAllocation',
  // Upstream leaves out pods that request nothing: they would all balance the same.
  preScore: (_state, { requests }) => requests.size === 0,
  score(_state, { requests }, node) {
    const cpu = fraction(
      (node.requested.get('cpu') ?? 0) + (requests.get('cpu') ?? 0),
      node.allocatable.get('cpu') ?? 0,
    );
    const memory = fraction(
      (node.requested.get('memory') ?? 0) + (requests.get('memory') ?? 0),
      node.allocatable.get('memory') ?? 0,
    );
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * MAX_NODE_SCORE);
  },
};

function fraction(requested: number, capacity: number): number {
  return capacity === 0 ? 1 : Math.min(1, requested / capacity);
}
