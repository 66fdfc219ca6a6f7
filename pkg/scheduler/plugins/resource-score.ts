import type { ResourceSpec, ScoringStrategy, ShapePoint } from '../config/plugin-args.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

/** Points of a shape score 0..10, nodes 0..100. */
const SHAPE_SCALE = 10;

/** Scores one resource: what would be requested with the pod there, of what there is (above zero). */
export type ResourceScorer = (requested: number, capacity: number) => number;

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

/** A resource that is scored for one pod. */
export interface ScoredResource {
  readonly name: string;
  readonly weight: number;
  /** The pod's own request. */
  readonly amount: number;
}

/**
 * The resources that say something about where a pod should go: not extended ones that it does not ask for. `amountOf` is what
 * it asks for of each.
 */
export function scoredResources(
  specs: readonly ResourceSpec[],
  pod: PodInfo,
  amountOf: (name: string) => number,
): readonly ScoredResource[] {
  return specs
    .filter(({ name }) => !isExtendedResource(name) || pod.requests.get(name))
    .map(({ name, weight }) => ({ name, weight, amount: amountOf(name) }));
}

/** The weighted mean over the resources that the node has. */
export function scoreNode(
  byRatio: boolean,
  scorer: ResourceScorer,
  resources: readonly ScoredResource[],
  node: NodeInfo,
): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight, amount } of resources) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0) continue;
    const score = scorer(amount + usedForScore(name, node), capacity);
    if (byRatio && score <= 0) continue;
    sum += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return byRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
}

/** What is requested of a resource on a node, with the default for containers that name no CPU or memory. */
function usedForScore(name: string, node: NodeInfo): number {
  if (name === 'cpu') return node.scoredCPU;
  if (name === 'memory') return node.scoredMemory;
  return node.requested.get(name) ?? 0;
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
