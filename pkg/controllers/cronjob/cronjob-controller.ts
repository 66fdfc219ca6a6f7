import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { CronJob, CronJobStatus, Job } from '../../api/generated/types.ts';
import { apiVersionOf, type DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { controllerOf, fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { controllerIndex, isControlledBy, newControllerRef } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import { finishedBy, oldestBeyond, type ReadJob } from './history.ts';
import { jobFor, jobName } from './run-name.ts';
import { parseSchedule, type Schedule, ScheduleError } from './schedule.ts';
import { dueStart, nextStartInMs, type ReadCronJob } from './starts.ts';

const TYPE = resources.cronjobs;

type ReadStatus = DeepReadonly<CronJobStatus>;
type Active = NonNullable<ReadStatus['active']>;

export interface CronJobReconcilerDeps {
  readonly client: Client;
  readonly clock: ControllerCommonDeps['clock'];
  readonly cronJobs: Informer<CronJob>;
  /** With the index `controller` (controllerIndex). */
  readonly jobs: Informer<Job>;
  readonly recorder: EventRecorder;
}

/** Starts the Jobs of CronJobs when their time has come. */
export function newCronJobController(deps: ControllerCommonDeps): Component {
  const cronJobs = deps.informers.for(TYPE);
  const jobs = deps.informers.for(resources.jobs, { indexers: { controller: controllerIndex } });
  const recorder = recorderFor('cronjob-controller', deps);
  return new Controller(
    {
      name: 'cronjob-controller',
      sources: [fromInformer(cronJobs), fromInformer(jobs, { map: controllerOf(TYPE) })],
      reconciler: new CronJobReconciler({ ...deps, cronJobs, jobs, recorder }),
    },
    deps,
  );
}

export class CronJobReconciler implements Reconciler {
  readonly #deps: CronJobReconcilerDeps;

  constructor(deps: CronJobReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { cronJobs, jobs, client } = this.#deps;
    const cronJob = cronJobs.lister.get(`${namespace}/${name}`);
    if (cronJob === undefined) return undefined;
    const own = jobs.lister.byIndex('controller', cronJob.metadata.uid);
    const run = new CronJobRun(cronJob, own, this.#deps);
    let inMs: number | undefined;
    try {
      await run.cleanUp();
      await run.followJobs();
      inMs = await run.start();
    } finally {
      if (!equalJSON(run.status, cronJob.status ?? {})) {
        await client.updateStatus(TYPE, { ...cronJob, status: run.status });
      }
    }
    return inMs === undefined ? undefined : { requeueAfterMs: inMs };
  }
}

/** One pass over a CronJob and its jobs; collects the status. */
class CronJobRun {
  readonly #cronJob: ReadCronJob;
  readonly #jobs: readonly ReadJob[];
  readonly #deps: CronJobReconcilerDeps;
  #status: ReadStatus;

  constructor(cronJob: ReadCronJob, jobs: readonly ReadJob[], deps: CronJobReconcilerDeps) {
    this.#cronJob = cronJob;
    this.#jobs = jobs;
    this.#deps = deps;
    this.#status = cronJob.status ?? {};
  }

  get status(): ReadStatus {
    return this.#status;
  }

  /** Notes which active jobs have ended or vanished. */
  async followJobs(): Promise<void> {
    for (const job of this.#jobs) {
      const { name, uid } = job.metadata;
      const isListed = this.#active.some((reference) => reference.uid === uid);
      const end = finishedBy(job);
      if (!isListed && end === undefined) {
        const fresh = await ignoreNotFound(this.#deps.client.get(TYPE, this.#cronJob.metadata));
        if (fresh?.status?.active?.some((reference) => reference.uid === uid)) continue;
        this.#tell('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`);
      } else if (isListed && end !== undefined) {
        this.#setActive(this.#active.filter((reference) => reference.uid !== uid));
        this.#tell('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end}`);
      }
      if (end === 'Complete') this.#noteSuccess(job.status?.completionTime);
    }
    const known = new Set(this.#jobs.map(({ metadata }) => metadata.uid));
    for (const { uid, name = '', namespace = '' } of this.#active) {
      if (uid === undefined || known.has(uid)) continue;
      if ((await ignoreNotFound(this.#deps.client.get(resources.jobs, { namespace, name }))) !== undefined) continue;
      this.#tell('Normal', 'MissingJob', `Active job went missing: ${name}`);
      this.#setActive(this.#active.filter((reference) => reference.uid !== uid));
    }
  }

  /** Starts a job when one is due. Returns when to look again, in milliseconds. */
  async start(): Promise<number | undefined> {
    const { metadata, spec } = this.#cronJob;
    if (metadata.deletionTimestamp !== undefined || spec.suspend === true) return undefined;
    const schedule = this.#schedule();
    if (schedule === undefined) return undefined;
    const nowMs = this.#deps.clock.now();
    const { atMs, hasMissedMany, isNever } = dueStart(this.#cronJob, schedule, nowMs);
    if (isNever === true) {
      const reason = 'time difference between two schedules is less than 1 second';
      this.#tell('Warning', 'InvalidSchedule', `invalid schedule: ${spec.schedule} : ${reason}`);
      return undefined;
    }
    if (hasMissedMany) {
      const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      this.#tell('Warning', 'TooManyMissedTimes', `too many missed start times. ${advice}`);
    }
    if (atMs !== undefined && (await this.#startAt(atMs, nowMs)) === 'stop') return undefined;
    const started = { ...this.#cronJob, status: this.#status };
    return nextStartInMs(started, schedule, nowMs);
  }

  async #startAt(atMs: number, nowMs: number): Promise<'done' | 'stop'> {
    const { startingDeadlineSeconds, concurrencyPolicy } = this.#cronJob.spec;
    if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
      this.#tell('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${rfc1123(atMs)}`);
      return 'done';
    }
    const name = jobName(this.#cronJob, atMs);
    const lastMs = Date.parse(this.#status.lastScheduleTime ?? '');
    if (this.#active.some((reference) => reference.name === name) || lastMs === Math.floor(atMs / 1000) * 1000) {
      return 'done';
    }
    if (concurrencyPolicy === 'Forbid' && this.#active.length > 0) {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      this.#tell('Normal', 'JobAlreadyActive', message);
      return 'done';
    }
    if (concurrencyPolicy === 'Replace') {
      for (const { namespace = '', name: other = '', uid } of this.#active)
        await this.#delete({ namespace, name: other, uid });
    }
    const job = await this.#create(atMs);
    if (job === undefined) return 'stop';
    const { uid, resourceVersion, namespace } = job.metadata;
    const apiVersion = apiVersionOf(resources.jobs);
    this.#setActive([...this.#active, { kind: 'Job', namespace, name, uid, apiVersion, resourceVersion }]);
    this.#status = { ...this.#status, lastScheduleTime: formatTime(atMs) };
    return 'done';
  }

  /** Undefined: the name belongs to somebody else's job, or the namespace is going away. */
  async #create(atMs: number): Promise<ReadJob | undefined> {
    const { client } = this.#deps;
    const draft = jobFor(this.#cronJob, atMs);
    const ownerReferences = [newControllerRef(TYPE, this.#cronJob)];
    try {
      const job = await client.create(resources.jobs, { ...draft, metadata: { ...draft.metadata, ownerReferences } });
      this.#tell('Normal', 'SuccessfulCreate', `Created job ${draft.metadata.name}`);
      return job;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (!isStatusError(error, 'AlreadyExists')) {
        this.#tell('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
        throw error;
      }
      const present = await client.get(resources.jobs, draft.metadata);
      return isControlledBy(present, this.#cronJob) ? present : undefined;
    }
  }

  /** Deletes the oldest finished jobs beyond the history limits. */
  async cleanUp(): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = this.#cronJob.spec;
    for (const job of [
      ...oldestBeyond(this.#jobs, 'Complete', successfulJobsHistoryLimit),
      ...oldestBeyond(this.#jobs, 'Failed', failedJobsHistoryLimit),
    ]) {
      await this.#delete(job.metadata);
    }
  }

  async #delete(job: { readonly namespace: string; readonly name: string; readonly uid: string | undefined }) {
    try {
      await this.#deps.client.delete(resources.jobs, job, { propagationPolicy: 'Background' });
      this.#tell('Normal', 'SuccessfulDelete', `Deleted job ${job.name}`);
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) {
        this.#tell('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
        throw error;
      }
    }
    this.#setActive(this.#active.filter(({ uid }) => uid !== job.uid));
  }

  #schedule(): Schedule | undefined {
    const { schedule, timeZone } = this.#cronJob.spec;
    if (/TZ=/.test(schedule)) {
      const page = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zone';
      const message = `CRON_TZ or TZ used in schedule "${schedule}" is not officially supported, see ${page} for more details`;
      this.#tell('Warning', 'UnsupportedSchedule', message);
    }
    try {
      return parseSchedule(schedule, timeZone);
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      if (error.cause !== undefined && timeZone !== undefined) {
        this.#tell('Warning', 'UnknownTimeZone', `invalid timeZone: "${timeZone}": ${error.message}`);
      } else {
        this.#tell('Warning', 'UnparseableSchedule', `unparseable schedule: "${schedule}" : ${error.message}`);
      }
      return undefined;
    }
  }

  get #active(): Active {
    return this.#status.active ?? [];
  }

  #setActive(active: Active): void {
    const { active: _, ...rest } = this.#status;
    this.#status = active.length === 0 ? rest : { ...rest, active };
  }

  #noteSuccess(completionTime: string | undefined): void {
    const { lastSuccessfulTime } = this.#status;
    if (completionTime === undefined) return;
    if (lastSuccessfulTime !== undefined && Date.parse(lastSuccessfulTime) >= Date.parse(completionTime)) return;
    this.#status = { ...this.#status, lastSuccessfulTime: completionTime };
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.recorder.event(this.#cronJob, type, reason, message);
  }
}

/** `Mon, 02 Jan 2006 15:04:05 +0000` */
function rfc1123(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}
