import type { Condition, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { countOf } from '../int-or-percent.ts';
import { isPodReady, type ReadPod } from '../pod-status.ts';

export type ReadBudget = DeepReadonly<PodDisruptionBudget>;
type ReadStatus = DeepReadonly<PodDisruptionBudgetStatus>;

/** An evicted pod that is not being deleted after so long was not evicted. */
export const EVICTION_TIMEOUT_MS = 120_000;

/** How many pods there should be and how many of them healthy. `scale`: what the pods' controllers want in total. */
export function expectedPods(budget: ReadBudget, pods: number, scale: () => number) {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = scale();
    return { expected, desiredHealthy: Math.max(0, expected - countOf(maxUnavailable, expected, 'up')) };
  }
  if (typeof minAvailable === 'string') {
    const expected = scale();
    return { expected, desiredHealthy: countOf(minAvailable, expected, 'up') };
  }
  return { expected: pods, desiredHealthy: minAvailable ?? 0 };
}

/** Whether the numbers of a budget depend on the controllers of its pods. */
export function needsScale(budget: ReadBudget): boolean {
  return budget.spec?.maxUnavailable !== undefined || typeof budget.spec?.minAvailable === 'string';
}

/** Pods that were evicted and are not yet being deleted, and those where that takes too long. */
export function disruptedPods(budget: ReadBudget, pods: readonly ReadPod[], nowMs: number) {
  const pending: Record<string, string> = {};
  const overdue: ReadPod[] = [];
  let recheckInMs: number | undefined;
  for (const pod of pods) {
    const at = budget.status?.disruptedPods?.[pod.metadata.name];
    if (at === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(at) + EVICTION_TIMEOUT_MS - nowMs;
    if (leftMs < 0) {
      overdue.push(pod);
      continue;
    }
    pending[pod.metadata.name] = at;
    recheckInMs = Math.min(leftMs + 1, recheckInMs ?? leftMs + 1);
  }
  return { pending, overdue, recheckInMs };
}

export interface BudgetCounts {
  readonly expected: number;
  readonly desiredHealthy: number;
  readonly pending: Readonly<Record<string, string>>;
}

export function budgetStatus(
  budget: ReadBudget,
  pods: readonly ReadPod[],
  counts: BudgetCounts,
  nowMs: number,
): ReadStatus {
  const { expected, desiredHealthy, pending } = counts;
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined && pending[pod.metadata.name] === undefined && isPodReady(pod),
  ).length;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desiredHealthy);
  const isAllowed = allowed > 0;
  return {
    ...(Object.keys(pending).length === 0 ? {} : { disruptedPods: pending }),
    observedGeneration: budget.metadata.generation ?? 0,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy,
    expectedPods: expected,
    conditions: withAllowed(budget, isAllowed, isAllowed ? 'SufficientPods' : 'InsufficientPods', '', nowMs),
  };
}

/** The numbers are not known: nothing may be disrupted. */
export function failedStatus(budget: ReadBudget, message: string, nowMs: number): ReadStatus {
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...budget.status,
    disruptionsAllowed: 0,
    observedGeneration: budget.metadata.generation ?? 0,
    conditions: withAllowed(budget, false, 'SyncFailed', message, nowMs),
  };
}

function withAllowed(
  budget: ReadBudget,
  isAllowed: boolean,
  reason: string,
  message: string,
  nowMs: number,
): readonly DeepReadonly<Condition>[] {
  const conditions = budget.status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const status = isAllowed ? 'True' : 'False';
  const condition = {
    type: 'DisruptionAllowed',
    status,
    observedGeneration: budget.metadata.generation ?? 0,
    lastTransitionTime: present?.status === status ? present.lastTransitionTime : formatTime(nowMs),
    reason,
    message,
  };
  return present === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === present ? condition : other));
}
