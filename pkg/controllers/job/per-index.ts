import type { ReadPod } from '../pod-status.ts';
import { remainingMs } from './backoff.ts';
import { failureVerdict } from './failure-policy.ts';
import { finishedAtMs, isPodFailed, type ReadJob } from './job-pods.ts';

const FAILURES = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** How often the pods of this index had failed before this one, as far as that counts. */
export function failureCountOf(pod: ReadPod): number {
  return count(pod, FAILURES);
}

function count(pod: ReadPod, annotation: string): number {
  const text = pod.metadata.annotations?.[annotation] ?? '0';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** With those that do not count. */
export function failuresOf(pod: ReadPod): number {
  return count(pod, FAILURES) + count(pod, IGNORED_FAILURES);
}

/** With this failed pod its index has no try left. */
export function isIndexFailed(job: ReadJob, pod: ReadPod): boolean {
  const { backoffLimitPerIndex } = job.spec;
  if (backoffLimitPerIndex === undefined || !isPodFailed(job, pod)) return false;
  const { failsIndex, isCounted } = failureVerdict(job, pod);
  return failsIndex || (isCounted && failureCountOf(pod) >= backoffLimitPerIndex);
}

/** The annotations of the pod that takes the place of `replaced`. */
export function failureAnnotations(job: ReadJob, replaced: ReadPod | undefined): Record<string, string> {
  if (replaced === undefined) return { [FAILURES]: '0' };
  const { isCounted } = failureVerdict(job, replaced);
  const ignored = count(replaced, IGNORED_FAILURES) + (isCounted ? 0 : 1);
  return {
    [FAILURES]: String(failureCountOf(replaced) + (isCounted ? 1 : 0)),
    ...(ignored === 0 ? {} : { [IGNORED_FAILURES]: String(ignored) }),
  };
}

/** Milliseconds until the index of a failed pod may be tried again. */
export function retryInMs(replaced: ReadPod, nowMs: number): number {
  return remainingMs({ failures: failuresOf(replaced) + 1, lastFailureMs: finishedAtMs(replaced, nowMs) }, nowMs);
}
