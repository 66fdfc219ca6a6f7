import type { CronJob } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Schedule } from './schedule.ts';

export type ReadCronJob = DeepReadonly<CronJob>;

/** More missed starts than this are told to the user. */
const MANY = 100;
/** Timers may fire a little early. */
const MARGIN_MS = 100;

export interface Start {
  /** The latest time at which a job was to start; undefined: none since the last. */
  readonly atMs: number | undefined;
  readonly hasMissedMany: boolean;
  /** The schedule names no time at all, as the 31st of February. */
  readonly isNever?: boolean;
}

/** The latest start that is due, not looking back further than startingDeadlineSeconds. */
export function dueStart(cronJob: ReadCronJob, schedule: Schedule, nowMs: number): Start {
  const { startingDeadlineSeconds } = cronJob.spec;
  const sinceMs = lastStartMs(cronJob);
  if (startingDeadlineSeconds === undefined) return latest(schedule, sinceMs, nowMs);
  return latest(schedule, Math.max(sinceMs, nowMs - startingDeadlineSeconds * 1000), nowMs);
}

/** Milliseconds until the next start after now. */
export function nextStartInMs(cronJob: ReadCronJob, schedule: Schedule, nowMs: number): number | undefined {
  const sinceMs = lastStartMs(cronJob);
  const nextMs = schedule.next(latest(schedule, sinceMs, nowMs).atMs ?? sinceMs);
  return nextMs === undefined ? undefined : Math.max(0, nextMs - nowMs) + MARGIN_MS;
}

/** The last start, or the creation of the CronJob. */
function lastStartMs({ metadata, status }: ReadCronJob): number {
  return Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
}

function latest(schedule: Schedule, sinceMs: number, nowMs: number): Start {
  const firstMs = schedule.next(sinceMs);
  if (firstMs === undefined) return { atMs: undefined, hasMissedMany: false, isNever: true };
  if (firstMs > nowMs) return { atMs: undefined, hasMissedMany: false };
  const secondMs = schedule.next(firstMs);
  if (secondMs === undefined || secondMs > nowMs) return { atMs: firstMs, hasMissedMany: false };
  const periodMs = secondMs - firstMs;
  const missed = Math.floor((nowMs - firstMs) / periodMs) + 1;
  // A long time is skipped by the period, and the rest walked.
  let atMs = schedule.next(firstMs + Math.max(0, missed - 3) * periodMs) ?? firstMs;
  if (atMs > nowMs) atMs = firstMs;
  for (let nextMs = schedule.next(atMs); nextMs !== undefined && nextMs <= nowMs; nextMs = schedule.next(atMs)) {
    atMs = nextMs;
  }
  return { atMs, hasMissedMany: missed > MANY };
}
