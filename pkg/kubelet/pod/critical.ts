import { isStaticPod } from '../labels.ts';
import type { Pod } from '../types.ts';

/** Pods from this priority on are critical to the node or the cluster. */
export const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/** Whether the node never ends this pod to get what it takes. Upstream: IsCriticalPod. */
export function isCritical(pod: Pod): boolean {
  return isStaticPod(pod) || (pod.spec.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}

/** Whether the node may end `other` to take `pod`. Upstream: Preemptable. */
export function mayPreempt(pod: Pod, other: Pod): boolean {
  if (isCritical(pod) && !isCritical(other)) return true;
  const [own, others] = [pod.spec.priority, other.spec.priority];
  return own !== undefined && others !== undefined && own > others;
}
