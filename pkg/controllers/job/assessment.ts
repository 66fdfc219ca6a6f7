import { isPodActive, isPodReady, isPodTerminating, type ReadPod } from '../pod-status.ts';
import { failureVerdict } from './failure-policy.ts';
import { IndexSet, indexOf, isIndexed } from './indexes.ts';
import { isPodFailed, isTracked, type ReadJob, trueCondition } from './job-pods.ts';
import { failuresOf, isIndexFailed } from './per-index.ts';
import { successPolicyMessage } from './success-policy.ts';

/** How a job ends. */
export interface Verdict {
  readonly outcome: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** What the pods say about a job. */
export interface Assessment {
  readonly active: readonly ReadPod[];
  readonly terminating: readonly ReadPod[];
  readonly ready: number;
  /** With those that the status does not count yet. */
  readonly succeeded: number;
  readonly failed: number;
  readonly newSucceeded: readonly ReadPod[];
  readonly newFailed: readonly ReadPod[];
  readonly succeededIndexes: IndexSet;
  /** Of jobs with a back-off limit per index. */
  readonly failedIndexes: IndexSet;
  /** Failed pods that keep their failure count until their successor has it. */
  readonly replaceable: ReadonlyMap<number, ReadPod>;
  readonly verdict: Verdict | undefined;
  /** When activeDeadlineSeconds runs out. */
  readonly deadlineInMs: number | undefined;
}

export interface JobView {
  readonly job: ReadJob;
  readonly pods: readonly ReadPod[];
  /** The pods (by uid) whose finalizer we have removed, which the informer does not show yet. */
  readonly released: ReadonlySet<string>;
  readonly nowMs: number;
}

export function assess({ job, pods, released, nowMs }: JobView): Assessment {
  const { uncountedTerminatedPods: uncounted, completedIndexes } = job.status ?? {};
  const completions = job.spec.completions ?? 0;
  const active = pods.filter(isPodActive);
  const tracked = pods.filter((pod) => isTracked(pod) && !released.has(pod.metadata.uid));
  const valid = isIndexed(job) ? tracked.filter((pod) => indexOf(job, pod) !== undefined) : tracked;
  const newSucceeded = valid.filter(
    (pod) => pod.status?.phase === 'Succeeded' && !uncounted?.succeeded?.includes(pod.metadata.uid),
  );
  const newFailed = valid.filter((pod) => isPodFailed(job, pod) && !uncounted?.failed?.includes(pod.metadata.uid));
  const counted = newFailed.filter((pod) => failureVerdict(job, pod).isCounted);
  const succeededIndexes = isIndexed(job)
    ? IndexSet.parse(completedIndexes, completions).with(indexesOf(job, newSucceeded))
    : new IndexSet();
  const failedIndexes = failedIndexesOf(job, newFailed, succeededIndexes);
  const facts = {
    active,
    terminating: pods.filter(isPodTerminating),
    ready: active.filter(isPodReady).length,
    succeeded: isIndexed(job)
      ? succeededIndexes.size
      : (job.status?.succeeded ?? 0) + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed: (job.status?.failed ?? 0) + counted.length + (uncounted?.failed?.length ?? 0),
    newSucceeded,
    newFailed,
    succeededIndexes,
    failedIndexes,
    replaceable: replaceableOf(job, active, newFailed, succeededIndexes, failedIndexes),
    deadlineInMs: deadlineInMs(job, nowMs),
  };
  return { ...facts, verdict: verdictOf(job, pods, facts) };
}

type Facts = Omit<Assessment, 'verdict'>;

function verdictOf(job: ReadJob, pods: readonly ReadPod[], facts: Facts): Verdict | undefined {
  const { reason = '', message = '' } = trueCondition(job, 'SuccessCriteriaMet') ?? {};
  if (reason !== '') return { outcome: 'Complete', reason, message };
  return failureOf(job, pods, facts) ?? indexVerdict(job, facts);
}

function failureOf(job: ReadJob, pods: readonly ReadPod[], facts: Facts): Verdict | undefined {
  const target = trueCondition(job, 'FailureTarget');
  if (target !== undefined) return failure(target.reason ?? '', target.message ?? '');
  if (job.spec.podFailurePolicy !== undefined) {
    for (const pod of pods) {
      if (!isPodFailed(job, pod)) continue;
      const { failJobMessage } = failureVerdict(job, pod);
      if (failJobMessage !== undefined) return failure('PodFailurePolicy', failJobMessage);
    }
  }
  if (facts.failed > (job.spec.backoffLimit ?? 6) || isRestartedTooOften(job, pods)) {
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (facts.deadlineInMs !== undefined && facts.deadlineInMs <= 0) {
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  return undefined;
}

function indexVerdict(job: ReadJob, { succeededIndexes, failedIndexes }: Facts): Verdict | undefined {
  if (!isIndexed(job)) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec;
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  if (failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completions) {
    return failure('FailedIndexes', 'Job has failed indexes');
  }
  const message = successPolicyMessage(job, succeededIndexes);
  return message === undefined ? undefined : { outcome: 'Complete', reason: 'SuccessPolicy', message };
}

function failure(reason: string, message: string): Verdict {
  return { outcome: 'Failed', reason, message };
}

/** All that was to be done is done; to be asked when no pod is active any more. */
export function completion(job: ReadJob, succeeded: number, active: number): Verdict | undefined {
  const { completions } = job.spec;
  const isDone = active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
  if (!isDone) return undefined;
  return {
    outcome: 'Complete',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  };
}

/** Containers that are restarted in place count by their restarts. */
function isRestartedTooOften(job: ReadJob, pods: readonly ReadPod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const limit = job.spec.backoffLimit ?? 6;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
    for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function deadlineInMs(job: ReadJob, nowMs: number): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec;
  const startTime = job.status?.startTime;
  if (activeDeadlineSeconds === undefined || suspend === true || startTime === undefined) return undefined;
  return Date.parse(startTime) + activeDeadlineSeconds * 1000 - nowMs;
}

function indexesOf(job: ReadJob, pods: readonly ReadPod[]): number[] {
  return pods.map((pod) => indexOf(job, pod)).filter((index) => index !== undefined);
}

function failedIndexesOf(job: ReadJob, newFailed: readonly ReadPod[], succeeded: IndexSet): IndexSet {
  if (job.spec.backoffLimitPerIndex === undefined) return new IndexSet();
  const known = IndexSet.parse(job.status?.failedIndexes, job.spec.completions ?? 0);
  const all = known.with(
    indexesOf(
      job,
      newFailed.filter((pod) => isIndexFailed(job, pod)),
    ),
  );
  return new IndexSet([...all].filter((index) => !succeeded.has(index)));
}

function replaceableOf(
  job: ReadJob,
  active: readonly ReadPod[],
  newFailed: readonly ReadPod[],
  succeeded: IndexSet,
  failed: IndexSet,
): ReadonlyMap<number, ReadPod> {
  const result = new Map<number, ReadPod>();
  if (job.spec.backoffLimitPerIndex === undefined) return result;
  const busy = new Set(indexesOf(job, active));
  for (const pod of newFailed) {
    const index = indexOf(job, pod);
    if (index === undefined || busy.has(index) || succeeded.has(index) || failed.has(index)) continue;
    const other = result.get(index);
    if (other === undefined || failuresOf(other) <= failuresOf(pod)) result.set(index, pod);
  }
  return result;
}
