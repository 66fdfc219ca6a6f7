import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/framework.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'NodeResourcesFit';

/** Requests fit into what the node can give; among the nodes where they do, the emptiest is best (LeastAllocated). */
export const nodeResourcesFit: SchedulerPlugin = {
  name: NAME,
  filter(_state, pod, node) {
    const lacking = insufficientResources(pod, node);
    if (lacking.length === 0) return undefined;
    const resolvable = lacking.every(({ fitsEmptyNode }) => fitsEmptyNode);
    return { plugin: NAME, reasons: lacking.map(({ reason }) => reason), resolvable };
  },
  score(_state, pod, node) {
    const cpu = leastAllocated(node.scoredCPU + pod.scoredCPU, node.allocatable.get('cpu') ?? 0);
    const memory = leastAllocated(node.scoredMemory + pod.scoredMemory, node.allocatable.get('memory') ?? 0);
    return Math.floor((cpu + memory) / 2);
  },
  mayHelp(event, pod) {
    if (event.resource === 'Node') return insufficientResources(pod, event.node).length === 0;
    return event.action === 'Delete' || event.action === 'Update';
  },
};

interface Lack {
  readonly reason: string;
  /** The node could hold the pod if it were empty. */
  readonly fitsEmptyNode: boolean;
}

function insufficientResources({ requests }: PodInfo, node: NodeInfo): Lack[] {
  const lacking: Lack[] = [];
  const maxPods = node.allocatable.get('pods') ?? 0;
  if (node.pods.size + 1 > maxPods) lacking.push({ reason: 'Too many pods', fitsEmptyNode: maxPods > 0 });
  for (const [name, amount] of requests) {
    if (amount === 0) continue;
    const allocatable = node.allocatable.get(name) ?? 0;
    if (amount > allocatable - (node.requested.get(name) ?? 0))
      lacking.push({ reason: `Insufficient ${name}`, fitsEmptyNode: amount <= allocatable });
  }
  return lacking;
}

function leastAllocated(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity);
}
