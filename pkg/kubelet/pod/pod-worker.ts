import { abortable } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import { equalJSON } from '../../base/json.ts';
import type { KubeletContext } from '../context.ts';
import { withSource } from '../labels.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import { type Pod, podText } from '../types.ts';
import { AddressAdmission } from './address-admission.ts';
import { Alarm } from './alarm.ts';
import { ContainerStarter } from './container-starter.ts';
import { type PodPlan, planPod } from './plan.ts';
import { PodActions } from './pod-actions.ts';
import { PodEnd } from './pod-end.ts';
import { PodProbes } from './pod-probes.ts';
import { PodReader } from './pod-reader.ts';
import { PodResize, type PodResizeDeps } from './pod-resize.ts';
import { PodSandbox } from './pod-sandbox.ts';
import { PodSetup } from './pod-setup.ts';
import { OWN_CONDITIONS, type PodFailure, podStatus } from './pod-status.ts';
import { RetryTimes } from './retry-times.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodWorkerDeps {
  readonly context: KubeletContext;
  readonly statuses: StatusManager;
  /** Whether the node takes the pod, once `makingRoom` is over; asked once, before anything is made for it. */
  readonly admit: (pod: Pod) => PodFailure | undefined;
  /** Resolves when pods that are ended to make room for a critical one have ended; undefined: there are none. */
  readonly makingRoom: () => Promise<void> | undefined;
  /** As a pod's resize asks for it. */
  readonly makeRoom: PodResizeDeps['makeRoom'];
  /** The pods that run on the node beside the one with this uid. */
  readonly others: (uid: string) => readonly Pod[];
  /** What pods take from the node became less. */
  readonly freed: () => void;
  /** The runtime was read: which containers are this pod's. */
  readonly seen: (uid: string, runtime: PodRuntime) => void;
  /** Everything of the pod is gone from the node. */
  readonly ended: (uid: string) => void;
}

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
  readonly #end: PodEnd;
  /** As its source has it. */
  #desired: Pod;
  /** As it is to run: with the amounts that the node has given it. */
  #pod: Pod;
  #admitted = false;
  #turn = new AbortController();
  /** Aborts when the kubelet stops: what then is under way is the next one's business. */
  #stopping: AbortSignal = new AbortController().signal;
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
    this.#resize = new PodResize(pod, {
      context: deps.context,
      others: () => deps.others(pod.metadata.uid),
      wakeBy,
      wake: () => this.wake(),
      makeRoom: deps.makeRoom,
    });
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
      graceSeconds: () => this.#end.graceSeconds(this.#pod),
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
    this.#end = new PodEnd({
      ...deps,
      reader: this.#reader,
      sandbox: this.#sandbox,
      setup: this.#setup,
      actions: this.#actions,
      probes: this.#probes,
      wakeBy,
      pod: () => this.#pod,
      podIPs: () => this.#podIPs(),
      stopping: () => this.#stopping,
      read: () => this.#read(),
      report: (finished) => void this.#report(finished),
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
    const { phase, removed, failure } = this.#end;
    return this.#admitted && phase === 'active' && !removed && failure === undefined;
  }

  /** It waits for the node to have more to give. */
  get resizeDeferred(): boolean {
    return this.#resize.deferred;
  }

  get lifecycle(): 'sync' | 'terminating' | 'terminated' {
    return this.#end.phase === 'active' ? 'sync' : this.#end.phase;
  }

  /** It is no longer in its source. */
  get removed(): boolean {
    return this.#end.removed;
  }

  /** Nothing of the pod runs, and nothing will. */
  get terminated(): boolean {
    return this.#end.phase === 'terminated';
  }

  /**
   * The pod was taken, and something of it runs or will: its ports and amounts are in use. What has left its source counts no
   * more, even while it still ends: the scheduler has given its place away.
   */
  get occupies(): boolean {
    return this.#admitted && !this.#end.removed && !this.#end.stopped;
  }

  update(given: Pod): void {
    const pod = withSource(given, this.#seenAt);
    const before = this.#desired;
    this.#desired = pod;
    this.#pod = this.#resize.effective(pod);
    this.#deps.statuses.reconcile(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (before.metadata.deletionTimestamp === undefined) this.#turn.abort();
      else if (this.#end.graceSeconds(pod) < this.#end.graceSeconds(before)) this.#end.hasten();
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
    if (!this.#end.remove()) return;
    this.#turn.abort();
    this.wake();
  }

  /** Ends the pod for a reason of the node's; nothing if it ends already. */
  fail(failure: PodFailure): void {
    if (!this.#end.fail(failure)) return;
    this.#turn.abort();
    this.wake();
  }

  /** Resolves when nothing of the pod runs any more, or will. */
  whenStopped(): Promise<void> {
    return this.#end.whenStopped();
  }

  wake(): void {
    this.#alarm.wake();
  }

  /** Gives back what a pod that has ended holds of the disk: its containers, with what they wrote. */
  discardEnded(): Promise<void> {
    return this.#end.discard();
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
    const end = this.#end;
    if (end.phase === 'terminated') return end.finish();
    await this.#read(signal);
    if (end.isDue() || end.phase === 'terminating') return end.terminate();
    if (!this.#admitted && isTerminal(this.#pod)) return end.leaveEnded();
    if (!this.#admitted) {
      const failure = await this.#enter(signal);
      if (failure !== undefined) return end.reject(failure);
      const lacking = await this.#deps.context.managers.topology.admit(this.#pod);
      if (lacking !== undefined) return this.#lack(lacking);
    }
    if (this.#resize.review(this.#desired)) this.#pod = this.#resize.effective(this.#desired);
    this.#probes.follow(this.#pod, this.#reader.runtime);
    const phase = this.#report(false);
    // The first report sets the start time that a deadline counts from.
    if (phase === 'Succeeded' || phase === 'Failed' || end.isDue()) return end.terminate();
    if (!(await this.#setup.prepare(this.#pod, this.#podIPs()))) return false;
    const plan = this.#plan();
    if (plan.killPod) return end.terminate();
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

  /** Takes the pod's place on the node; one that has it from an earlier kubelet keeps it. */
  async #enter(signal: AbortSignal): Promise<PodFailure | undefined> {
    const { admit, makingRoom } = this.#deps;
    if (this.#reader.runtime.containers.length === 0) {
      // That room is another pod's.
      for (let others = makingRoom(); others !== undefined; others = makingRoom()) await abortable(others, signal);
      const failure = admit(this.#pod);
      if (failure !== undefined) return failure;
      this.#admitted = true;
      const own = makingRoom();
      if (own !== undefined) await abortable(own, signal);
    }
    this.#admitted = true;
    return undefined;
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

  /** The node cannot give what the pod asks for; one that ran before this kubelet started has to end first. */
  async #lack(failure: PodFailure): Promise<boolean> {
    if (this.#reader.runtime.containers.length === 0) return this.#end.reject(failure);
    this.fail({ ...failure, message: `Pod was rejected: ${failure.message}` });
    return false;
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
      ...(this.#end.failure === undefined ? {} : { failure: this.#end.failure }),
    };
    const status = podStatus(input);
    statuses.set(this.#pod, status);
    this.#noteStart(status.phase);
    if (finished || this.#end.failure !== undefined) return status.phase ?? '';
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
}

const SLOW_START_MS = 500;

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** What of an API pod its worker acts on: all but our own status. */
function desiredPart({ metadata, spec, status }: Pod): object {
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const foreign = (status?.conditions ?? []).filter((condition) => !OWN_CONDITIONS.has(condition.type));
  return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, spec, foreign };
}
