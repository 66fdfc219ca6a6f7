import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Job, Pod } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import { formatTime } from '../../api/time.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Expectations } from '../../controller/expectations.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { claimable, claimObjects, controllerIndex, newControllerRef } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating, type PodControlDeps } from '../pod-control.ts';
import { podSource } from '../pod-source.ts';
import { isPodReady, type ReadPod } from '../pod-status.ts';
import { slowStart } from '../slow-start.ts';
import { type Assessment, assess, completion, type JobView, type Verdict } from './assessment.ts';
import { type BackoffRecord, NO_FAILURES, nextRecord, remainingMs } from './backoff.ts';
import { isFinished, isManagedElsewhere, isTracked, type ReadJob, TRACKING_FINALIZER } from './job-pods.ts';
import { managePlan, podTemplate } from './manage.ts';
import {
  announce,
  countReleased,
  finish,
  hasUncounted,
  noteEnded,
  type ReadStatus,
  suspendConditions,
} from './tracking.ts';

const TYPE = resources.jobs;

export interface JobReconcilerDeps {
  readonly client: ControllerCommonDeps['client'];
  readonly clock: ControllerCommonDeps['clock'];
  readonly jobs: Informer<Job>;
  /** With the index `controller` (controllerIndex). */
  readonly pods: Informer<Pod>;
  readonly expectations: Expectations;
  readonly recorder: PodControlDeps['recorder'];
}

/** Runs the pods of Jobs to their end. */
export function newJobController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods, { indexers: { controller: controllerIndex } });
  const jobs = deps.informers.for(TYPE);
  const expectations = new Expectations(deps.clock);
  const recorder = recorderFor('job-controller', deps);
  const reconciler = new JobReconciler({ ...deps, pods, jobs, expectations, recorder });
  const selectorOf = (job: ReadJob) => job.spec.selector;
  return new Controller(
    {
      name: 'job-controller',
      sources: [
        fromInformer(jobs, { unhurried: ({ spec }) => spec.suspend === true }),
        podSource({ type: TYPE, owners: jobs, selectorOf, pods, expectations }),
      ],
      reconciler,
    },
    deps,
  );
}

/** What one pass has found out; `verdict` is acted upon when no pod is active any more. */
interface Outcome {
  readonly active: number;
  readonly ready: number;
  /** Pods that this pass has deleted: they are on their way out, but the informer may not show it yet. */
  readonly removed: number;
  readonly verdict: Verdict | undefined;
  readonly hasManaged: boolean;
  readonly waitMs: number | undefined;
  readonly failure?: { readonly error: unknown };
}

export class JobReconciler implements Reconciler {
  readonly #deps: JobReconcilerDeps;
  /** By the uid of the job. */
  readonly #backoff = new Map<string, BackoffRecord>();
  /** Uids of pods, by key of the job, whose finalizer is removed while the informer still shows it. */
  readonly #released = new Map<string, Set<string>>();

  constructor(deps: JobReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { jobs, expectations, clock } = this.#deps;
    const key = `${namespace}/${name}`;
    const job = jobs.lister.get(key);
    if (job === undefined || isFinished(job)) {
      expectations.forget(key);
      this.#released.delete(key);
      if (job !== undefined) this.#backoff.delete(job.metadata.uid);
      return undefined;
    }
    if (isManagedElsewhere(job)) return undefined;
    const upToDate = expectations.satisfied(key);
    const pods = await this.#claim(job);
    const view = { job, pods, released: this.#releasedOf(key, pods), nowMs: clock.now() };
    const facts = assess(view);
    const { uid } = job.metadata;
    const record = nextRecord(this.#backoff.get(uid) ?? NO_FAILURES, facts.newSucceeded, facts.newFailed, view.nowMs);
    const outcome = await this.#act(key, view, facts, upToDate, record);
    await this.#track(key, view, facts, outcome);
    this.#backoff.set(uid, record);
    if (outcome.failure !== undefined) throw outcome.failure.error;
    const waits = [outcome.waitMs, facts.deadlineInMs].filter((ms) => ms !== undefined && ms > 0);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...(waits as number[])) };
  }

  #claim(job: ReadJob): Promise<ReadPod[]> {
    return claimObjects(claimable(this.#deps.pods.lister, job), {
      client: this.#deps.client,
      childType: resources.pods,
      ownerType: TYPE,
      owner: job,
      matches: (pod) => job.spec.selector !== undefined && matchesLabelSelector(job.spec.selector, pod.metadata.labels),
    });
  }

  /** Forgets what the informer has caught up with. */
  #releasedOf(key: string, pods: readonly ReadPod[]): ReadonlySet<string> {
    const released = this.#released.get(key);
    if (released === undefined) return new Set();
    const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid));
    for (const uid of released) if (!tracked.has(uid)) released.delete(uid);
    return released;
  }

  async #act(
    key: string,
    view: JobView,
    facts: Assessment,
    upToDate: boolean,
    record: BackoffRecord,
  ): Promise<Outcome> {
    const { job, nowMs } = view;
    const counts = { active: facts.active.length, ready: facts.ready, removed: 0 };
    if (facts.verdict !== undefined) {
      if (!upToDate) return { ...counts, verdict: undefined, hasManaged: false, waitMs: undefined };
      const { removed, failure } = await this.#remove(key, job, facts.active, false);
      return {
        active: counts.active - removed.length,
        ready: counts.ready - removed.filter(isPodReady).length,
        removed: removed.length,
        verdict: removed.length === facts.active.length ? facts.verdict : undefined,
        hasManaged: false,
        waitMs: undefined,
        ...(failure === undefined ? {} : { failure }),
      };
    }
    if (!upToDate || job.metadata.deletionTimestamp !== undefined) {
      return { ...counts, verdict: undefined, hasManaged: false, waitMs: undefined };
    }
    const backoffMs = job.spec.backoffLimitPerIndex === undefined ? remainingMs(record, nowMs) : 0;
    const plan = managePlan(job, facts, backoffMs, nowMs);
    let { active, ready, removed } = counts;
    let failure: { error: unknown } | undefined;
    if (plan.remove.length > 0) {
      const result = await this.#remove(key, job, plan.remove, true);
      removed = result.removed.length;
      active -= removed;
      ready -= result.removed.filter(isPodReady).length;
      failure = result.failure;
    } else if (plan.create.length > 0) {
      const result = await this.#create(key, job, plan.create, facts);
      active += result.successes;
      failure = result.error === undefined ? undefined : { error: result.error };
    }
    return {
      active,
      ready,
      removed,
      verdict: completion(job, facts.succeeded, active),
      hasManaged: true,
      waitMs: plan.waitMs,
      ...(failure === undefined ? {} : { failure }),
    };
  }

  async #create(key: string, job: ReadJob, indexes: readonly (number | undefined)[], { replaceable }: Assessment) {
    const { expectations } = this.#deps;
    const reference = newControllerRef(TYPE, job);
    expectations.expectCreations(key, indexes.length);
    const result = await slowStart(indexes.length, async (at) => {
      const index = indexes[at];
      const replaced = index === undefined ? undefined : replaceable.get(index);
      const { template, generateName } = podTemplate(job, index, replaced);
      try {
        await createPod(template, job, reference, this.#deps, generateName);
      } catch (cause) {
        if (!isNamespaceTerminating(cause)) throw cause;
        expectations.creationObserved(key);
      }
    });
    if (result.error !== undefined) expectations.creationObserved(key, indexes.length - result.successes);
    return result;
  }

  /** `isReleased`: the pods are taken back and do not count as failed. */
  async #remove(key: string, job: ReadJob, pods: readonly ReadPod[], isReleased: boolean) {
    if (pods.length === 0) return { removed: [], failure: undefined };
    const { expectations } = this.#deps;
    expectations.expectDeletions(key, pods.map(keyOf));
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        try {
          if (isReleased && isTracked(pod)) await this.#release(pod);
          await deletePod(pod, job, this.#deps);
        } catch (error) {
          expectations.deletionObserved(key, keyOf(pod));
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    const removed = pods.filter((_, index) => results[index]?.status === 'fulfilled');
    return { removed, failure: failed === undefined ? undefined : { error: failed.reason as unknown } };
  }

  async #release(pod: ReadPod): Promise<void> {
    const { uid } = pod.metadata;
    const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } };
    await ignoreNotFound(this.#deps.client.patch(resources.pods, pod.metadata, 'strategic', patch));
  }

  /** Writes the status: ended pods are noted, released, counted, and then the job may be over. */
  async #track(key: string, view: JobView, facts: Assessment, outcome: Outcome): Promise<void> {
    const { job, nowMs } = view;
    const { verdict } = outcome;
    const noted = noteEnded(view, facts, this.#present(job, facts, outcome, nowMs), verdict);
    const announced = verdict === undefined ? noted.status : announce(noted.status, verdict, nowMs);
    const written = await this.#write(job, announced);
    const { uids, failure } = await this.#releaseAll(key, noted.release);
    let status = countReleased(job, announced, (uid) => uids.has(uid));
    const isOver =
      verdict !== undefined && !noted.isPartial && failure === undefined && !hasUncounted(status) && isQuiet(status);
    if (isOver) status = finish(status, verdict, nowMs);
    await this.#write(written, status);
    if (isOver) this.#tellEnd(job, verdict);
    if (failure !== undefined) throw failure.reason;
  }

  /** The status with what is under way now. */
  #present(
    job: ReadJob,
    facts: Assessment,
    { active, ready, removed, verdict, hasManaged }: Outcome,
    nowMs: number,
  ): ReadStatus {
    const { active: _, startTime, ...rest } = job.status ?? {};
    const conditions = hasManaged && verdict === undefined ? suspendConditions(job, nowMs) : undefined;
    const isStarted = startTime === undefined && job.spec.suspend !== true;
    let start = isStarted ? formatTime(nowMs) : startTime;
    if (conditions !== undefined) {
      const isSuspended = job.spec.suspend === true;
      start = isSuspended ? undefined : formatTime(nowMs);
      const [reason, message] = isSuspended ? ['Suspended', 'Job suspended'] : ['Resumed', 'Job resumed'];
      this.#deps.recorder.event(job, 'Normal', reason, message);
    }
    return {
      ...rest,
      ...(start === undefined ? {} : { startTime: start }),
      ...(conditions === undefined ? {} : { conditions }),
      ...(active === 0 ? {} : { active }),
      ready,
      terminating: facts.terminating.length + removed,
    };
  }

  async #releaseAll(key: string, pods: readonly ReadPod[]) {
    const uids = new Set<string>();
    if (pods.length === 0) return { uids, failure: undefined };
    const released = this.#released.get(key) ?? new Set<string>();
    this.#released.set(key, released);
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        await this.#release(pod);
        uids.add(pod.metadata.uid);
        released.add(pod.metadata.uid);
      }),
    );
    return { uids, failure: results.find((result) => result.status === 'rejected') };
  }

  async #write(job: ReadJob, status: ReadStatus): Promise<ReadJob> {
    if (equalJSON(job.status ?? {}, status)) return job;
    return this.#deps.client.updateStatus(TYPE, { ...job, status });
  }

  #tellEnd(job: ReadJob, { outcome, reason, message }: Verdict): void {
    const { recorder } = this.#deps;
    if (outcome === 'Complete') recorder.event(job, 'Normal', 'Completed', 'Job completed');
    else recorder.event(job, 'Warning', reason, message);
  }
}

/** No pod runs or is being stopped. */
function isQuiet(status: ReadStatus): boolean {
  return (status.active ?? 0) === 0 && (status.terminating ?? 0) === 0;
}
