import { parseTime } from '../../api/time.ts';
import { monotonicSince } from '../../base/clock.ts';
import { podSubject } from '../container/container-events.ts';
import { KillError } from '../container/kill.ts';
import type { KubeletContext } from '../context.ts';
import { isStaticPod } from '../labels.ts';
import type { Pod } from '../types.ts';
import type { PodActions } from './pod-actions.ts';
import type { PodProbes } from './pod-probes.ts';
import type { PodReader } from './pod-reader.ts';
import { deleteFromAPI, removeContainers, removeEnded, removeFromNode } from './pod-removal.ts';
import type { PodSandbox } from './pod-sandbox.ts';
import type { PodSetup } from './pod-setup.ts';
import { type PodFailure, rejectedStatus } from './pod-status.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodEndDeps {
  readonly context: KubeletContext;
  readonly statuses: StatusManager;
  readonly reader: PodReader;
  readonly sandbox: PodSandbox;
  readonly setup: PodSetup;
  readonly actions: PodActions;
  readonly probes: PodProbes;
  /** Look at the pod again at this time. */
  readonly wakeBy: (atMs: number) => void;
  /** As it is to run. */
  readonly pod: () => Pod;
  readonly podIPs: () => readonly string[];
  /** Aborts when the kubelet stops. */
  readonly stopping: () => AbortSignal;
  /** Reads what the runtime has. */
  readonly read: () => Promise<void>;
  /** Sends the status; `finished`: nothing of the pod runs any more. */
  readonly report: (finished: boolean) => void;
  /** What pods take from the node became less. */
  readonly freed: () => void;
  /** Everything of the pod is gone from the node. */
  readonly ended: (uid: string) => void;
}

type Phase = 'active' | 'terminating' | 'terminated';

/** Reasons of those who want the place of a pod. */
const EVICTIONS: ReadonlySet<string> = new Set(['Evicted', 'Preempting']);
const DEFAULT_GRACE_SECONDS = 30;
/** A pod that was deleted by force gets no more than this. */
const REMOVED_GRACE_SECONDS = 30;

/** Why a pod is to end, and the way there: its containers stop, the node has its place again, the API hears of it, what is left goes. */
export class PodEnd {
  readonly #deps: PodEndDeps;
  #phase: Phase = 'active';
  #failure: PodFailure | undefined;
  /** The pod is no longer in its source. */
  #removed = false;
  #stopped = false;
  readonly #whenStopped = Promise.withResolvers<void>();
  /** What a deadline counts from, monotonic. */
  #activeSinceMs: number | undefined;

  constructor(deps: PodEndDeps) {
    this.#deps = deps;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get failure(): PodFailure | undefined {
    return this.#failure;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** Nothing of it runs any more, or will. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves when nothing of it runs any more, or will. */
  whenStopped(): Promise<void> {
    return this.#whenStopped.promise;
  }

  /** The pod left its source; false: that was known. */
  remove(): boolean {
    if (this.#removed) return false;
    this.#removed = true;
    this.hasten();
    return true;
  }

  /** The node ends it; false: it ends already. */
  fail(failure: PodFailure): boolean {
    if (this.#phase !== 'active' || this.#failure !== undefined) return false;
    this.#failure = failure;
    if (failure.withoutEvent !== true) {
      const { annotations } = failure;
      const extras = annotations === undefined ? {} : { annotations };
      this.#event('Warning', failure.reason, failure.message, extras);
    }
    return true;
  }

  /** The pod is to end: it is deleted, removed, or over its deadline. */
  isDue(): boolean {
    const pod = this.#deps.pod();
    if (this.#removed || pod.metadata.deletionTimestamp !== undefined || this.#failure !== undefined) return true;
    const { activeDeadlineSeconds } = pod.spec;
    const { startTime } = this.#deps.statuses.withStatus(pod).status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const { clock } = this.#deps.context.deps;
    this.#activeSinceMs ??= monotonicSince(clock, parseTime(startTime));
    const deadline = this.#activeSinceMs + activeDeadlineSeconds * 1000;
    if (deadline > clock.monotonic()) {
      this.#deps.wakeBy(deadline);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failure = { reason: 'DeadlineExceeded', message };
    this.#event('Normal', 'DeadlineExceeded', message);
    return true;
  }

  graceSeconds(pod: Pod): number {
    const { terminationGracePeriodSeconds = DEFAULT_GRACE_SECONDS } = pod.spec;
    if (pod.metadata.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds;
    return Math.min(terminationGracePeriodSeconds, this.#failure?.graceSeconds ?? terminationGracePeriodSeconds);
  }

  /** A grace period that became shorter holds for what is being stopped too. */
  hasten(): void {
    this.#deps.sandbox.hasten(this.#removed ? 0 : this.graceSeconds(this.#deps.pod()));
  }

  /** The node does not take the pod; nothing was made for it. */
  async reject(failure: PodFailure): Promise<boolean> {
    const { context, statuses } = this.#deps;
    const pod = this.#deps.pod();
    context.metrics.rejected(failure.reason);
    this.#event('Warning', failure.reason, failure.message);
    statuses.set(pod, rejectedStatus(pod, failure, context.deps.clock.now()));
    this.#phase = 'terminated';
    this.#noteStopped();
    return this.finish();
  }

  async terminate(): Promise<boolean> {
    const { context, reader, probes, actions, read, report } = this.#deps;
    this.#phase = 'terminating';
    probes.stopLiveness();
    probes.follow(this.#deps.pod(), reader.runtime);
    report(false);
    const grace = this.graceSeconds(this.#deps.pod());
    await this.#stopEverything(this.#removed ? Math.min(grace, REMOVED_GRACE_SECONDS) : grace);
    // The node needs at once what an evicted pod took.
    if (EVICTIONS.has(this.#failure?.reason ?? '')) await removeContainers(this.#deps.pod(), reader.runtime, context);
    await read();
    if (await actions.removeOldRuns()) await read();
    probes.stop();
    // Before it is told: its claims may be given to others as soon as its end is known.
    await context.claims.unprepare(this.#deps.pod().metadata.uid);
    // Before it is told: what waits for its place may be sent here as soon as that is known.
    this.#noteStopped();
    report(true);
    await this.#release();
    return this.finish();
  }

  /** The pod ended before this kubelet started: it never runs again, whatever is left of it. */
  async leaveEnded(): Promise<boolean> {
    const pod = this.#deps.pod();
    await this.#stopEverything(this.graceSeconds(pod));
    await this.#deps.context.claims.unprepare(pod.metadata.uid);
    await this.#release();
    return this.finish();
  }

  /**
   * After the end: the API object goes when it is deleted, and what is left on the node when it has left its source. True when
   * the pod is gone for good.
   */
  async finish(): Promise<boolean> {
    const { context, statuses, ended, reader, stopping } = this.#deps;
    const pod = this.#deps.pod();
    const { uid, deletionTimestamp } = pod.metadata;
    await statuses.flush(uid, stopping());
    if (!this.#removed) {
      if (deletionTimestamp !== undefined && !isStaticPod(pod)) await deleteFromAPI(pod, context, stopping());
      return false;
    }
    await removeFromNode(this.#deps.pod(), reader.runtime, context);
    statuses.forget(uid);
    context.probeCounts.forget(uid);
    ended(uid);
    return true;
  }

  /** Gives back what a pod that has ended holds of the disk: its containers, with what they wrote. */
  async discard(): Promise<void> {
    const { reader, context } = this.#deps;
    if (this.#phase === 'terminated' && !this.#removed) await removeEnded(this.#deps.pod(), reader.runtime, context);
  }

  async #release(): Promise<void> {
    await this.#deps.setup.release(this.#deps.pod().metadata.uid);
    this.#phase = 'terminated';
    this.#noteStopped();
    this.#deps.freed();
  }

  #noteStopped(): void {
    this.#stopped = true;
    this.#whenStopped.resolve();
  }

  async #stopEverything(graceSeconds: number): Promise<void> {
    const { context, sandbox, reader, podIPs, stopping } = this.#deps;
    const podIP = podIPs()[0] ?? '';
    try {
      await sandbox.stop(this.#deps.pod(), reader.runtime, graceSeconds, podIP, stopping());
    } catch (error) {
      if (error instanceof KillError) {
        this.#event('Warning', 'FailedKillPod', `error killing pod: ${error.message}`);
        // The runtime has lost what it knew of the pod: it sees the end of processes all the same.
        if (error.timedOut) await context.cgroups.kill(this.#deps.pod());
      }
      throw error;
    }
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string, extras: object = {}): void {
    this.#deps.context.deps.recorder.event(podSubject(this.#deps.pod()), type, reason, message, extras);
  }
}
