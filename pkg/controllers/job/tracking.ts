import type { JobStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { ReadPod } from '../pod-status.ts';
import type { Assessment, JobView, Verdict } from './assessment.ts';
import { failureVerdict } from './failure-policy.ts';
import { IndexSet, indexOf, isIndexed } from './indexes.ts';
import { isPodFailed, isTracked, type ReadCondition, type ReadJob } from './job-pods.ts';

export type ReadStatus = DeepReadonly<JobStatus>;

/** So many ended pods are counted in one write. */
const MAX_UNCOUNTED = 500;

/** Pods whose end goes into the status, and whose finalizer can be removed after that. */
export interface Tracked {
  readonly status: ReadStatus;
  readonly release: readonly ReadPod[];
  /** There are more ended pods than one write takes. */
  readonly isPartial: boolean;
}

/**
 * The first half of counting: ended pods are noted by uid (indexed successes by index) before their finalizer goes, so
 * that none is counted twice or lost. Upstream: trackJobStatusAndRemoveFinalizers.
 */
export function noteEnded(view: JobView, facts: Assessment, status: ReadStatus, verdict: Verdict | undefined): Tracked {
  const { job, pods, released } = view;
  const present = new Set(pods.filter((pod) => isTracked(pod)).map(({ metadata }) => metadata.uid));
  const counted = countReleased(job, status, (uid) => !present.has(uid) || released.has(uid));
  const succeeded = [...(counted.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(counted.uncountedTerminatedPods?.failed ?? [])];
  const indexes: number[] = [];
  const release: ReadPod[] = [];
  let isPartial = false;
  for (const pod of pods) {
    const { uid } = pod.metadata;
    if (!isTracked(pod) || released.has(uid) || !mayRelease(job, facts, pod, verdict)) continue;
    if (succeeded.length + failed.length + indexes.length >= MAX_UNCOUNTED) {
      isPartial = true;
      break;
    }
    release.push(pod);
    const index = indexOf(job, pod);
    if (isIndexed(job) && index === undefined) continue;
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (index !== undefined && isIndexed(job)) indexes.push(index);
      else if (!succeeded.includes(uid)) succeeded.push(uid);
    } else if (isPodFailed(job, pod) || verdict?.outcome === 'Failed') {
      if (!failed.includes(uid) && failureVerdict(job, pod).isCounted) failed.push(uid);
    }
  }
  const uncountedTerminatedPods = uncountedOf(succeeded, failed);
  if (!isIndexed(job)) return { status: { ...counted, uncountedTerminatedPods }, release, isPartial };
  const done = IndexSet.parse(counted.completedIndexes, job.spec.completions ?? 0).with(indexes);
  const indexed = {
    ...counted,
    uncountedTerminatedPods,
    ...(done.size === 0 ? {} : { succeeded: done.size, completedIndexes: done.toString() }),
    ...(job.spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: facts.failedIndexes.toString() }),
  };
  return { status: indexed, release, isPartial };
}

/** Ended, or of a job that ends; a failed pod that its successor needs for its failure count stays. */
function mayRelease(job: ReadJob, facts: Assessment, pod: ReadPod, verdict: Verdict | undefined): boolean {
  if (verdict !== undefined || job.metadata.deletionTimestamp !== undefined) return true;
  if (pod.status?.phase === 'Succeeded') return true;
  if (!isPodFailed(job, pod)) return false;
  const index = indexOf(job, pod);
  return index === undefined || facts.replaceable.get(index) !== pod;
}

/** The second half: noted pods whose finalizer is gone become plain numbers. */
export function countReleased(job: ReadJob, status: ReadStatus, isReleased: (uid: string) => boolean): ReadStatus {
  const { uncountedTerminatedPods: uncounted, ...rest } = status;
  const succeeded = (uncounted?.succeeded ?? []).filter((uid) => !isReleased(uid));
  const failed = (uncounted?.failed ?? []).filter((uid) => !isReleased(uid));
  const newSucceeded = (uncounted?.succeeded?.length ?? 0) - succeeded.length;
  const newFailed = (uncounted?.failed?.length ?? 0) - failed.length;
  return {
    ...rest,
    ...(newSucceeded === 0 || isIndexed(job) ? {} : { succeeded: (status.succeeded ?? 0) + newSucceeded }),
    ...(newFailed === 0 ? {} : { failed: (status.failed ?? 0) + newFailed }),
    uncountedTerminatedPods: uncountedOf(succeeded, failed),
  };
}

function uncountedOf(succeeded: readonly string[], failed: readonly string[]) {
  return {
    ...(succeeded.length === 0 ? {} : { succeeded }),
    ...(failed.length === 0 ? {} : { failed }),
  };
}

export function hasUncounted({ uncountedTerminatedPods }: ReadStatus): boolean {
  return Object.keys(uncountedTerminatedPods ?? {}).length > 0;
}

/** The verdict is announced before the last pods are released, and final when none is left. */
export function announce(status: ReadStatus, { outcome, reason, message }: Verdict, nowMs: number): ReadStatus {
  const type = outcome === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  if (status.conditions?.some((condition) => condition.type === type && condition.status === 'True')) return status;
  return { ...status, conditions: [...(status.conditions ?? []), newCondition(type, 'True', reason, message, nowMs)] };
}

export function finish(status: ReadStatus, { outcome, reason, message }: Verdict, nowMs: number): ReadStatus {
  const conditions = [...(status.conditions ?? []), newCondition(outcome, 'True', reason, message, nowMs)];
  return { ...status, conditions, ...(outcome === 'Complete' ? { completionTime: formatTime(nowMs) } : {}) };
}

/** The conditions with Suspended as the spec wants; undefined when they say so already. */
export function suspendConditions(job: ReadJob, nowMs: number): readonly ReadCondition[] | undefined {
  const conditions = job.status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === 'Suspended');
  const isSuspended = job.spec.suspend === true;
  if ((present?.status === 'True') === isSuspended) return undefined;
  const next = isSuspended
    ? newCondition('Suspended', 'True', 'JobSuspended', 'Job suspended', nowMs)
    : newCondition('Suspended', 'False', 'JobResumed', 'Job resumed', nowMs);
  return present === undefined
    ? [...conditions, next]
    : conditions.map((condition) => (condition === present ? next : condition));
}

function newCondition(type: string, status: string, reason: string, message: string, nowMs: number): ReadCondition {
  const now = formatTime(nowMs);
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}
