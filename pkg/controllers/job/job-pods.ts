import type { Job, JobCondition } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { podCondition, type ReadPod } from '../pod-status.ts';

export type ReadJob = DeepReadonly<Job>;
export type ReadCondition = DeepReadonly<JobCondition>;

/** Keeps a pod until its end has been counted in the job's status. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

export function isTracked(pod: ReadPod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

export function trueCondition(job: ReadJob, type: string): ReadCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

export function isFinished(job: ReadJob): boolean {
  return trueCondition(job, 'Complete') !== undefined || trueCondition(job, 'Failed') !== undefined;
}

/** Another controller looks after it. */
export function isManagedElsewhere(job: ReadJob): boolean {
  return job.spec.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller';
}

/** A pod is replaced only when it has ended, not when it is being deleted. */
export function waitsForEnd(job: ReadJob): boolean {
  return job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy !== undefined;
}

/** Failed, or (where that is enough) being deleted before it has succeeded. */
export function isPodFailed(job: ReadJob, pod: ReadPod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (waitsForEnd(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/** When the last container ended; for pods that never ran, when they became unready or were deleted. */
export function finishedAtMs(pod: ReadPod, nowMs: number): number {
  let last: number | undefined;
  for (const { state } of pod.status?.containerStatuses ?? []) {
    const at = Date.parse(state?.terminated?.finishedAt ?? '');
    if (!Number.isNaN(at)) last = Math.max(last ?? at, at);
  }
  if (last !== undefined) return last;
  const ready = podCondition(pod, 'Ready');
  const unreadyAt = ready?.status === 'False' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN;
  if (!Number.isNaN(unreadyAt)) return unreadyAt;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  if (deletionTimestamp === undefined) return nowMs;
  return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}
