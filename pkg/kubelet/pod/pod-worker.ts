import { parseTime } from '../../api/time.ts';
import { Backoff } from '../../base/backoff.ts';
import { monotonicSince } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import { podSubject } from '../container/container-events.ts';
import { KillError } from '../container/kill.ts';
import type { KubeletContext } from '../context.ts';
import { isStaticPod, withSource } from '../labels.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import { type Pod, podText } from '../types.ts';
import { AddressAdmission } from './address-admission.ts';
import { Alarm } from './alarm.ts';
import { ContainerStarter } from './container-starter.ts';
import { type PodPlan, planPod } from './plan.ts';
import { PodActions } from './pod-actions.ts';
import { PodProbes } from './pod-probes.ts';
import { PodReader } from './pod-reader.ts';
import { deleteFromAPI, removeContainers, removeEnded, removeFromNode } from './pod-removal.ts';
import { PodResize } from './pod-resize.ts';
import { PodSandbox } from './pod-sandbox.ts';
import { PodSetup } from './pod-setup.ts';
import { OWN_CONDITIONS, type PodFailure, podStatus, rejectedStatus } from './pod-status.ts';
import { RetryTimes } from './retry-times.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodWorkerDeps {
  readonly context: KubeletContext;
  readonly statuses: StatusManager;
  /** Whether the node takes the pod; asked once, before anything is made for it. */
  readonly admit: (pod: Pod) => PodFailure | undefined;
  /** The pods that run on the node beside the one with this uid. */
  readonly others: (uid: string) => readonly Pod[];
  /** What pods take from the node became less. */
  readonly freed: () => void;
  /** The runtime was read: which containers are this pod's. */
  readonly seen: (uid: string, runtime: PodRuntime) => void;
  /** Everything of the pod is gone from the node. */
  readonly ended: (uid: string) => void;
}

type Phase = 'active' | 'terminating' | 'terminated';

/**
 * Looks after one pod for its whole life on the node. Level-based: every turn reads what the runtime has, reports it, and does
 * what the plan says; a turn is caused by a change of the pod, the runtime, a probe, an object it uses, or a timer.
 */
export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #probes: PodProbes;
  readonly #reader: PodReader;
  readonly #starter: ContainerStarter;
  readonly #retries: RetryTimes;
  readonly #alarm: Alarm;
  readonly #setup: PodSetup;
  readonly #sandbox: PodSandbox;
  readonly #actions: PodActions;
  readonly #resize: PodResize;
  /** As its source has it. */
  #desired: Pod;
  /** As it is to run: with the amounts that the node has given it. */
  #pod: Pod;
  #phase: Phase = 'active';
  #failure: PodFailure | undefined;
  #admitted = false;
  #stopped = false;
  /** The pod is no longer in its source. */
  #removed = false;
  #turn = new AbortController();
  /** Aborts when the kubelet stops: what then is under way is the next one's business. */
  #stopping: AbortSignal = new AbortController().signal;
  /** What a deadline counts from, monotonic. */
  #activeSinceMs: number | undefined;
  /** When this kubelet saw the pod, RFC 3339. */
  readonly #seenAt: string;
  /** The same, monotonic, until it runs; pods that ran before are not measured. */
  #seenAtMs: number | undefined;

  constructor(given: Pod, deps: PodWorkerDeps) {
    this.#deps = deps;
    this.#seenAt = new Date(deps.context.deps.clock.now()).toISOString();
    const pod = withSource(given, this.#seenAt);
    this.#alarm = new Alarm(deps.context.deps.clock);
    const wakeBy = (atMs: number): void => this.#alarm.wakeBy(atMs);
    this.#resize = new PodResize(pod, { context: deps.context, others: () => deps.others(pod.metadata.uid), wakeBy });
    this.#desired = pod;
    this.#pod = this.#resize.effective(pod);
    if (pod.status?.phase !== 'Running') this.#seenAtMs = deps.context.deps.clock.monotonic();
    this.#retries = new RetryTimes(deps.context.deps.clock, wakeBy);
    this.#setup = new PodSetup({ context: deps.context, retries: this.#retries, wakeBy });
    this.#sandbox = new PodSandbox(deps.context);
    this.#starter = new ContainerStarter({ context: deps.context, retries: this.#retries, wakeBy });
    this.#reader = new PodReader(pod.metadata.uid, deps.context);
    this.#actions = new PodActions({
      context: deps.context,
      reader: this.#reader,
      sandbox: this.#sandbox,
      starter: this.#starter,
      admission: new AddressAdmission(deps.context),
      retries: this.#retries,
      wakeBy,
      pod: () => this.#pod,
      podIPs: () => this.#podIPs(),
      volumes: () => this.#setup.volumes,
      graceSeconds: () => this.#graceSeconds(this.#pod),
      stopping: () => this.#stopping,
      plan: () => this.#plan(),
      read: (signal) => this.#read(signal),
      readMade: (signal) => this.#readMade(signal),
    });
    this.#probes = new PodProbes({
      deps: deps.context.deps,
      runtimeName: deps.context.runtimeName,
      hollow: deps.context.options.hollow === true,
      counts: deps.context.probeCounts,
      podIP: () => this.#podIPs()[0] ?? '',
      changed: () => this.wake(),
    });
  }

  get pod(): Pod {
    return this.#deps.statuses.withStatus(this.#pod);
  }

  get runtime(): PodRuntime {
    return this.#reader.runtime;
  }

  /** The pod was taken and nothing ends it yet. */
  get active(): boolean {
    return this.#admitted && this.#phase === 'active' && !this.#removed && this.#failure === undefined;
  }

  /** It waits for the node to have more to give. */
  get resizeDeferred(): boolean {
    return this.#resize.deferred;
  }

  get lifecycle(): 'sync' | 'terminating' | 'terminated' {
    return this.#phase === 'active' ? 'sync' : this.#phase;
  }

  /** It is no longer in its source. */
  get removed(): boolean {
    return this.#removed;
  }

  /** Nothing of the pod runs, and nothing will. */
  get terminated(): boolean {
    return this.#phase === 'terminated';
  }

  /**
   * The pod was taken, and something of it runs or will: its ports and amounts are in use. What has left its source counts no
   * more, even while it still ends: the scheduler has given its place away.
   */
  get occupies(): boolean {
    return this.#admitted && !this.#removed && !this.#stopped && this.#phase !== 'terminated';
  }

  update(given: Pod): void {
    const pod = withSource(given, this.#seenAt);
    const before = this.#desired;
    this.#desired = pod;
    this.#pod = this.#resize.effective(pod);
    this.#deps.statuses.reconcile(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (before.metadata.deletionTimestamp === undefined) this.#turn.abort();
      else if (this.#graceSeconds(pod) < this.#graceSeconds(before)) this.#hasten();
    }
    if (!equalJSON(pod.spec, before.spec)) this.#retries.clear();
    // Our own status coming back is no reason to look again.
    if (!equalJSON(desiredPart(pod), desiredPart(before))) this.wake();
  }

  /** A ConfigMap or Secret that the pod uses changed. */
  objectChanged(): void {
    this.#retries.clear();
    this.wake();
  }

  /** The pod left its source: end it. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#turn.abort();
    this.#hasten();
    this.wake();
  }

  /** Ends the pod for a reason of the node's; nothing if it ends already. */
  fail(failure: PodFailure): void {
    if (this.#phase !== 'active' || this.#failure !== undefined) return;
    this.#failure = failure;
    if (failure.withoutEvent !== true) {
      const { annotations } = failure;
      const extras = annotations === undefined ? {} : { annotations };
      this.#deps.context.deps.recorder.event(podSubject(this.#pod), 'Warning', failure.reason, failure.message, extras);
    }
    this.#turn.abort();
    this.wake();
  }

  wake(): void {
    this.#alarm.wake();
  }

  /** Gives back what a pod that has ended holds of the disk: its containers, with what they wrote. */
  async discardEnded(): Promise<void> {
    if (this.#phase === 'terminated' && !this.#removed)
      await removeEnded(this.#pod, this.#reader.runtime, this.#deps.context);
  }

  /** The runtime said that a container ended; it may not show yet when it is read. */
  containerStopped(id: string): void {
    this.#reader.stopped(id);
    this.wake();
  }

  /** Resolves when the container no longer runs. */
  untilEnded(id: string, signal: AbortSignal): Promise<void> {
    return this.#reader.untilEnded(id, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#stopping = signal;
    const retry = new Backoff({ initialMs: 200, maxMs: 30_000 });
    const { clock, logger } = this.#deps.context.deps;
    while (!signal.aborted) {
      this.#alarm.begin();
      this.#turn = new AbortController();
      const turn = AbortSignal.any([signal, this.#turn.signal]);
      const started = clock.monotonic();
      const kind = this.#admitted ? 'sync' : 'create';
      try {
        if (await this.#sync(turn)) return;
        this.#deps.context.metrics.workerTurn(kind, (clock.monotonic() - started) / 1000);
        retry.reset();
      } catch (error) {
        if (!turn.aborted) {
          logger.warn({ err: error, pod: podText(this.#pod) }, 'pod could not be synced; trying again');
          this.#alarm.wakeBy(clock.monotonic() + retry.next());
        }
      }
      await this.#alarm.sleep(signal);
    }
    this.#probes.stop();
  }

  /** One turn; true when the pod is gone for good. */
  async #sync(signal: AbortSignal): Promise<boolean> {
    if (this.#phase === 'terminated') return this.#finish();
    await this.#read(signal);
    if (this.#ends() || this.#phase === 'terminating') return this.#terminate();
    if (!this.#admitted && isTerminal(this.#pod)) return this.#leaveEnded();
    if (!this.#admitted) {
      const failure = this.#reader.runtime.containers.length === 0 ? this.#deps.admit(this.#pod) : undefined;
      if (failure !== undefined) return this.#reject(failure);
      this.#admitted = true;
      const lacking = await this.#deps.context.managers.topology.admit(this.#pod);
      if (lacking !== undefined) return this.#lack(lacking);
    }
    if (this.#resize.review(this.#desired)) this.#pod = this.#resize.effective(this.#desired);
    this.#probes.follow(this.#pod, this.#reader.runtime);
    const phase = this.#report(false);
    // The first report sets the start time that a deadline counts from.
    if (phase === 'Succeeded' || phase === 'Failed' || this.#ends()) return this.#terminate();
    if (!(await this.#setup.prepare(this.#pod, this.#podIPs()))) return false;
    const plan = this.#plan();
    if (plan.killPod) return this.#terminate();
    const applied = await this.#apply(plan, signal);
    if (await this.#resize.apply(this.#pod, this.#reader.runtime, signal)) {
      this.#report(false);
      this.#deps.freed();
    }
    if (applied) {
      await this.#readMade(signal);
      this.#probes.follow(this.#pod, this.#reader.runtime);
      this.#report(false);
    }
    await this.#actions.removeOldRuns();
    // What has ended already by now is not told of again.
    if (applied && this.#hasWork()) this.#alarm.wake();
    return false;
  }

  /** What takes long, as pulls of images do, is told of meanwhile: that there is a sandbox, with its addresses. */
  async #apply(plan: PodPlan, signal: AbortSignal): Promise<boolean> {
    const cancel = this.#deps.context.deps.clock.after(SLOW_START_MS, () => this.#report(false));
    try {
      return await this.#actions.apply(plan, signal);
    } finally {
      cancel();
    }
  }

  /** Whether what the runtime was last seen to have needs another turn. */
  #hasWork(): boolean {
    const { killPod, createSandbox, kill, start } = this.#plan();
    return killPod || createSandbox !== undefined || kill.length > 0 || start.length > 0;
  }

  #plan(): PodPlan {
    return planPod({
      pod: this.#pod,
      runtime: this.#reader.runtime,
      health: (id) => this.#probes.health(id),
      resizedByRestart: (container, spec) => this.#resize.needsRestart(container, spec),
    });
  }

  async #read(signal?: AbortSignal): Promise<void> {
    this.#noteRead(await this.#reader.read(signal));
  }

  async #readMade(signal: AbortSignal): Promise<void> {
    this.#noteRead(await this.#reader.readMade(signal));
  }

  #noteRead(runtime: PodRuntime): void {
    this.#resize.note(runtime);
    this.#deps.seen(this.#pod.metadata.uid, runtime);
  }

  /** The pod is to end: it is deleted, removed, or over its deadline. */
  #ends(): boolean {
    if (this.#removed || this.#pod.metadata.deletionTimestamp !== undefined || this.#failure !== undefined) return true;
    const { activeDeadlineSeconds } = this.#pod.spec;
    const { startTime } = this.pod.status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const { clock } = this.#deps.context.deps;
    this.#activeSinceMs ??= monotonicSince(clock, parseTime(startTime));
    const deadline = this.#activeSinceMs + activeDeadlineSeconds * 1000;
    if (deadline > clock.monotonic()) {
      this.#alarm.wakeBy(deadline);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failure = { reason: 'DeadlineExceeded', message };
    this.#deps.context.deps.recorder.event(podSubject(this.#pod), 'Normal', 'DeadlineExceeded', message);
    return true;
  }

  /** The pod ended before this kubelet started: it never runs again, whatever is left of it. */
  async #leaveEnded(): Promise<boolean> {
    await this.#stopEverything(this.#graceSeconds(this.#pod));
    await this.#deps.context.claims.unprepare(this.#pod.metadata.uid);
    await this.#release();
    return this.#finish();
  }

  /** The node cannot give what the pod asks for; one that ran before this kubelet started has to end first. */
  async #lack(failure: PodFailure): Promise<boolean> {
    if (this.#reader.runtime.containers.length === 0) return this.#reject(failure);
    this.fail({ ...failure, message: `Pod was rejected: ${failure.message}` });
    return false;
  }

  async #reject(failure: PodFailure): Promise<boolean> {
    const { recorder } = this.#deps.context.deps;
    this.#deps.context.metrics.rejected(failure.reason);
    recorder.event(podSubject(this.#pod), 'Warning', failure.reason, failure.message);
    this.#deps.statuses.set(this.#pod, rejectedStatus(this.#pod, failure, this.#deps.context.deps.clock.now()));
    this.#phase = 'terminated';
    return this.#finish();
  }

  /** Sends the status that the runtime now gives; returns the phase before it is held back. */
  #report(finished: boolean): string {
    const { context, statuses } = this.#deps;
    const input = {
      pod: this.pod,
      runtime: this.#reader.runtime,
      runtimeName: context.runtimeName,
      waiting: (name: string) => this.#starter.waiting(name),
      health: (id: string) => this.#probes.health(id),
      terminationMessage: (container: RuntimeContainer) => this.#reader.terminationMessage(container),
      nowMs: context.deps.clock.now(),
      hostIPs: context.options.nodeIPs,
      recursiveReadOnlyMounts: context.features.recursiveReadOnlyMounts,
      finished,
      resize: finished ? [] : this.#resize.conditions(),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    const status = podStatus(input);
    statuses.set(this.#pod, status);
    this.#noteStart(status.phase);
    if (finished || this.#failure !== undefined) return status.phase ?? '';
    const ready = status.conditions?.find((condition) => condition.type === 'ContainersReady');
    if (ready?.reason === 'PodCompleted') return 'Succeeded';
    return ready?.reason === 'PodFailed' ? 'Failed' : (status.phase ?? '');
  }

  /** Measures the way to the first report that the pod runs. */
  #noteStart(phase: string | undefined): void {
    if (phase !== 'Running' || this.#seenAtMs === undefined) return;
    const { metrics, deps } = this.#deps.context;
    metrics.podRuns((deps.clock.monotonic() - this.#seenAtMs) / 1000);
    this.#seenAtMs = undefined;
  }

  #podIPs(): readonly string[] {
    if (this.#pod.spec.hostNetwork === true) return this.#deps.context.options.nodeIPs;
    return this.#reader.runtime.sandboxes.find((sandbox) => sandbox.ips.length > 0)?.ips ?? [];
  }

  #hasten(): void {
    this.#sandbox.hasten(this.#removed ? 0 : this.#graceSeconds(this.#pod));
  }

  #graceSeconds(pod: Pod): number {
    const { terminationGracePeriodSeconds = DEFAULT_GRACE_SECONDS } = pod.spec;
    if (pod.metadata.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds;
    return Math.min(terminationGracePeriodSeconds, this.#failure?.graceSeconds ?? terminationGracePeriodSeconds);
  }

  async #terminate(): Promise<boolean> {
    this.#phase = 'terminating';
    this.#probes.stopLiveness();
    this.#probes.follow(this.#pod, this.#reader.runtime);
    this.#report(false);
    await this.#stopEverything(
      this.#removed ? Math.min(this.#graceSeconds(this.#pod), REMOVED_GRACE_SECONDS) : this.#graceSeconds(this.#pod),
    );
    // The node needs at once what an evicted pod took.
    if (this.#failure?.reason === 'Evicted')
      await removeContainers(this.#pod, this.#reader.runtime, this.#deps.context);
    await this.#read();
    if (await this.#actions.removeOldRuns()) await this.#read();
    this.#probes.stop();
    // Before it is told: its claims may be given to others as soon as its end is known.
    await this.#deps.context.claims.unprepare(this.#pod.metadata.uid);
    // Before it is told: what waits for its place may be sent here as soon as that is known.
    this.#stopped = true;
    this.#report(true);
    await this.#release();
    return this.#finish();
  }

  async #release(): Promise<void> {
    await this.#setup.release(this.#pod.metadata.uid);
    this.#phase = 'terminated';
    this.#deps.freed();
  }

  async #stopEverything(graceSeconds: number): Promise<void> {
    const podIP = this.#podIPs()[0] ?? '';
    try {
      await this.#sandbox.stop(this.#pod, this.#reader.runtime, graceSeconds, podIP, this.#stopping);
    } catch (error) {
      if (error instanceof KillError) {
        const message = `error killing pod: ${error.message}`;
        this.#deps.context.deps.recorder.event(podSubject(this.#pod), 'Warning', 'FailedKillPod', message);
        // The runtime has lost what it knew of the pod: it sees the end of processes all the same.
        if (error.timedOut) await this.#deps.context.cgroups.kill(this.#pod);
      }
      throw error;
    }
  }

  /** After the end: the API object goes when it is deleted, and what is left on the node when it has left its source. */
  async #finish(): Promise<boolean> {
    const { context, statuses, ended } = this.#deps;
    const { uid, deletionTimestamp } = this.#pod.metadata;
    await statuses.flush(uid, this.#stopping);
    if (!this.#removed) {
      if (deletionTimestamp !== undefined && !isStaticPod(this.#pod)) {
        await deleteFromAPI(this.#pod, context, this.#stopping);
      }
      return false;
    }
    await removeFromNode(this.#pod, this.#reader.runtime, context);
    statuses.forget(uid);
    context.probeCounts.forget(uid);
    ended(uid);
    return true;
  }
}

const DEFAULT_GRACE_SECONDS = 30;
const SLOW_START_MS = 500;
/** A pod that was deleted by force gets no more than this. */
const REMOVED_GRACE_SECONDS = 30;

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** What of an API pod its worker acts on: all but our own status. */
function desiredPart({ metadata, spec, status }: Pod): object {
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const foreign = (status?.conditions ?? []).filter((condition) => !OWN_CONDITIONS.has(condition.type));
  return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, spec, foreign };
}
