import type { ResourceSpec, ScoringStrategy, ShapePoint } from '../config/plugin-args.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

/** Points of a shape score 0..10, nodes 0..100. */
const SHAPE_SCALE = 10;

/** Scores one resource: what would be requested with the pod there, of what there is (above zero). */
type ResourceScorer = (requested: number, capacity: number) => number;

export function resourceScorer({ type, shape }: ScoringStrategy): ResourceScorer {
  switch (type) {
    case 'LeastAllocated':
      return (requested, capacity) =>
        requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity);
    case 'MostAllocated':
      return (requested, capacity) => Math.floor((Math.min(requested, capacity) * MAX_NODE_SCORE) / capacity);
    case 'RequestedToCapacityRatio':
      return (requested, capacity) =>
        atUtilization(shape, requested > capacity ? 100 : Math.floor((requested * 100) / capacity));
  }
}

/** The weighted mean over the resources that the node has and, for extended ones, the pod asks for. */
export function scoreNode(strategy: ScoringStrategy, scorer: ResourceScorer, pod: PodInfo, node: NodeInfo): number {
  let sum = 0;
  let weights = 0;
  const byRatio = strategy.type === 'RequestedToCapacityRatio';
  for (const { name, weight } of strategy.resources) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0 || isUnwanted(name, pod)) continue;
    const score = scorer(scoredRequest(name, pod, node), capacity);
    if (byRatio && score <= 0) continue;
    sum += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return byRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
}

/** What is requested of a resource once the pod is there, with the default for containers that name no CPU or memory. */
function scoredRequest(name: string, pod: PodInfo, node: NodeInfo): number {
  if (name === 'cpu') return node.scoredCPU + pod.scoredCPU;
  if (name === 'memory') return node.scoredMemory + pod.scoredMemory;
  return requestWith(name, pod, node);
}

/** What is requested of a resource once the pod is there. */
export function requestWith(name: string, { requests }: PodInfo, { requested }: NodeInfo): number {
  return (requested.get(name) ?? 0) + (requests.get(name) ?? 0);
}

/** Extended resources that the pod does not ask for say nothing about where it should go. */
export function isUnwanted(name: ResourceSpec['name'], { requests }: PodInfo): boolean {
  return isExtendedResource(name) && !requests.get(name);
}

/** Named by a domain that is not Kubernetes' own. Upstream: IsExtendedResourceName. */
export function isExtendedResource(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');
}

/** Linear between the points of a shape, level beyond its ends. */
function atUtilization(shape: readonly ShapePoint[], utilization: number): number {
  let before: ShapePoint | undefined;
  for (const point of shape) {
    if (utilization <= point.utilization) {
      if (before === undefined) return point.score * SHAPE_SCALE;
      const from = before.score * SHAPE_SCALE;
      const rise = point.score * SHAPE_SCALE - from;
      return from + Math.trunc((rise * (utilization - before.utilization)) / (point.utilization - before.utilization));
    }
    before = point;
  }
  return (before?.score ?? 0) * SHAPE_SCALE;
}
