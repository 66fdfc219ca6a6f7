import type { Job } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';

export type ReadJob = DeepReadonly<Job>;
type End = 'Complete' | 'Failed';

/** The condition that says that a job has ended. */
export function finishedBy(job: ReadJob): End | undefined {
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return end?.type as End | undefined;
}

/** The oldest jobs with one end beyond `limit`; no limit: none. */
export function oldestBeyond(jobs: readonly ReadJob[], end: End, limit: number | undefined): readonly ReadJob[] {
  if (limit === undefined) return [];
  const ended = jobs.filter((job) => finishedBy(job) === end && job.metadata.deletionTimestamp === undefined);
  const byStart = (a: ReadJob, b: ReadJob): number =>
    startMs(a) - startMs(b) || a.metadata.name.localeCompare(b.metadata.name);
  return ended.toSorted(byStart).slice(0, Math.max(0, ended.length - limit));
}

/** Jobs that never started come last. */
function startMs(job: ReadJob): number {
  return job.status?.startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(job.status.startTime);
}
