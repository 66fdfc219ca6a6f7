import type { ReadPod } from '../pod-status.ts';
import { finishedAtMs } from './job-pods.ts';

const INITIAL_MS = 10_000;
const MAX_MS = 600_000;

/** Failures since the last success of a job. */
export interface BackoffRecord {
  readonly failures: number;
  readonly lastFailureMs: number | undefined;
}

export const NO_FAILURES: BackoffRecord = { failures: 0, lastFailureMs: undefined };

/** The record after pods have ended that it does not know. Upstream: newBackoffRecord. */
export function nextRecord(
  record: BackoffRecord,
  succeeded: readonly ReadPod[],
  failed: readonly ReadPod[],
  nowMs: number,
): BackoffRecord {
  const successes = succeeded.map((pod) => finishedAtMs(pod, nowMs));
  const failures = failed.map((pod) => finishedAtMs(pod, nowMs));
  const lastFailureMs = failures.length === 0 ? record.lastFailureMs : Math.max(...failures);
  if (successes.length === 0) return { failures: record.failures + failures.length, lastFailureMs };
  const lastSuccessMs = Math.max(...successes);
  const after = failures.filter((at) => at > lastSuccessMs);
  return after.length === 0 ? NO_FAILURES : { failures: after.length, lastFailureMs };
}

/** Milliseconds until the next pod may be started. */
export function remainingMs({ failures, lastFailureMs }: BackoffRecord, nowMs: number): number {
  if (failures === 0 || lastFailureMs === undefined) return 0;
  const waitMs = Math.min(MAX_MS, INITIAL_MS * 2 ** Math.min(failures - 1, 30));
  // A failure that is still to come, because the clock was set back, is one of now.
  return Math.min(waitMs, Math.max(0, lastFailureMs + waitMs - nowMs));
}
