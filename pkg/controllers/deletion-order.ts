import { isPodReady, podCondition, type ReadPod } from './pod-status.ts';

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** A pod and how many active pods of the same workload are on its node. */
export interface RankedPod {
  readonly pod: ReadPod;
  readonly rank: number;
}

/**
 * Which pods go first when a workload shrinks: unassigned, then not running, not ready, cheap (pod-deletion-cost),
 * crowded, recently ready, often restarted, young. Corresponds to upstream's ActivePodsWithRanks.
 */
export function deletionOrder(nowMs: number): (a: RankedPod, b: RankedPod) => number {
  return (a, b) => {
    const left = a.pod;
    const right = b.pod;
    return (
      Number(Boolean(left.spec.nodeName)) - Number(Boolean(right.spec.nodeName)) ||
      (PHASES[left.status?.phase ?? ''] ?? 0) - (PHASES[right.status?.phase ?? ''] ?? 0) ||
      Number(isPodReady(left)) - Number(isPodReady(right)) ||
      deletionCost(left) - deletionCost(right) ||
      b.rank - a.rank ||
      (isPodReady(left) ? byAge(readySince(left), readySince(right), left, right, nowMs) : 0) ||
      restarts(right) - restarts(left) ||
      byAge(
        Date.parse(left.metadata.creationTimestamp),
        Date.parse(right.metadata.creationTimestamp),
        left,
        right,
        nowMs,
      )
    );
  };
}

export function rankByNode(pods: readonly ReadPod[], related: readonly ReadPod[]): RankedPod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1);
  return pods.map((pod) => ({ pod, rank: perNode.get(pod.spec.nodeName ?? '') ?? 0 }));
}

/** Younger first, but ages of the same order of magnitude count as equal and the uid decides. */
function byAge(left: number, right: number, a: ReadPod, b: ReadPod, nowMs: number): number {
  if (left === right) return 0;
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) ? -1 : 1;
  const difference = logAge(nowMs - left) - logAge(nowMs - right);
  if (difference !== 0) return difference;
  return a.metadata.uid < b.metadata.uid ? -1 : 1;
}

function logAge(ageMs: number): number {
  // Upstream takes the logarithm of nanoseconds.
  return ageMs <= 0 ? 0 : Math.floor(Math.log2(ageMs * 1e6));
}

function readySince(pod: ReadPod): number {
  return Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');
}

function restarts(pod: ReadPod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}

function deletionCost(pod: ReadPod): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0';
  return /^(?:[+-]?[1-9]\d*|0)$/.test(text) ? Number(text) : 0;
}
