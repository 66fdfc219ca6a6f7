import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../../api/duration.ts';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { parseTime } from '../../api/time.ts';
import { Backoff } from '../../base/backoff.ts';
import { equalJSON } from '../../base/json.ts';
import { isCriError } from '../../cri/index.ts';
import { containerSubject, podSubject } from '../container/container-events.ts';
import { killContainer, killContainers } from '../container/kill.ts';
import { podDirectory, terminationLogPath } from '../container/mounts.ts';
import { StartError, startContainer } from '../container/start.ts';
import { terminationMessage } from '../container/termination-message.ts';
import { fieldContext, type KubeletContext, podLogDirectory } from '../context.ts';
import { isStaticPod } from '../labels.ts';
import { ContainerProbes } from '../probes/container-probes.ts';
import { runProbe } from '../probes/probe.ts';
import { NO_RUNTIME, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import { type Container, isSidecar, type Pod, podText, type SpecContainer, specContainers } from '../types.ts';
import type { PodVolumes } from '../volumes/volume-manager.ts';
import type { WaitingReason } from './container-status.ts';
import { type ContainerHealth, type PodPlan, planPod, type StartAction } from './plan.ts';
import { OWN_CONDITIONS, podStatus } from './pod-status.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { sandboxConfig } from './sandbox-config.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

export interface PodWorkerDeps {
  readonly context: KubeletContext;
  readonly statuses: StatusManager;
  /** Whether the node takes the pod; asked once, before anything is made for it. */
  readonly admit: (pod: Pod) => PodFailure | undefined;
  /** The runtime was read: which containers are this pod's. */
  readonly seen: (uid: string, runtime: PodRuntime) => void;
  /** Everything of the pod is gone from the node. */
  readonly ended: (uid: string) => void;
}

type Phase = 'active' | 'terminating' | 'terminated';

const FAST_RETRY_MS = 20;
const STALE_READS = 15;

/**
 * Looks after one pod for its whole life on the node. Level-based: every turn reads what the runtime has, reports it, and does
 * what the plan says; a turn is caused by a change of the pod, the runtime, a probe, an object it uses, or a timer.
 */
export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #probes = new Map<string, ContainerProbes>();
  readonly #waiting = new Map<string, WaitingReason>();
  readonly #messages = new Map<string, string>();
  readonly #backoff = new RestartBackoff();
  readonly #backoffReported = new Set<string>();
  readonly #stoppedIDs = new Set<string>();
  /** Containers that are not tried again before a time, by name; VOLUMES stands for the volumes. */
  readonly #retryAt = new Map<string, number>();
  readonly #endWaiters = new Set<() => void>();
  readonly #volumeBackoff = new Backoff({ initialMs: 500, maxMs: 122_000 });
  #pod: Pod;
  #phase: Phase = 'active';
  #failure: PodFailure | undefined;
  #admitted = false;
  /** The pod is no longer in its source. */
  #removed = false;
  #runtime: PodRuntime = NO_RUNTIME;
  #volumes: PodVolumes | undefined;
  #cgroupMade = false;
  #wakeAtMs: number | undefined;
  #awake = true;
  #wake: () => void = () => {};
  #turn = new AbortController();
  #shorterGrace: (() => void) | undefined;

  constructor(pod: Pod, deps: PodWorkerDeps) {
    this.#pod = pod;
    this.#deps = deps;
  }

  get pod(): Pod {
    return this.#deps.statuses.withStatus(this.#pod);
  }

  get runtime(): PodRuntime {
    return this.#runtime;
  }

  /** Nothing of the pod runs, and nothing will. */
  get terminated(): boolean {
    return this.#phase === 'terminated';
  }

  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    this.#deps.statuses.reconcile(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (before.metadata.deletionTimestamp === undefined) this.#turn.abort();
      else if (this.#graceSeconds(pod) < this.#graceSeconds(before)) this.#shorterGrace?.();
    }
    if (!equalJSON(pod.spec, before.spec)) this.#retryAt.clear();
    // Our own status coming back is no reason to look again.
    if (!equalJSON(desiredPart(pod), desiredPart(before))) this.wake();
  }

  /** A ConfigMap or Secret that the pod uses changed. */
  objectChanged(): void {
    this.#retryAt.clear();
    this.wake();
  }

  /** The pod left its source: end it. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    this.#turn.abort();
    this.#shorterGrace?.();
    this.wake();
  }

  wake(): void {
    this.#awake = true;
    this.#wake();
  }

  /** The runtime said that a container ended; it may not show yet when it is read. */
  containerStopped(id: string): void {
    this.#stoppedIDs.add(id);
    this.wake();
  }

  /** Resolves when the container no longer runs. */
  untilEnded(id: string, signal: AbortSignal): Promise<void> {
    const running = (): boolean => this.#runtime.containers.some((one) => one.id === id && one.state === 'running');
    if (!running() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (running() && !signal.aborted) return;
        this.#endWaiters.delete(check);
        signal.removeEventListener('abort', check);
        resolve();
      };
      this.#endWaiters.add(check);
      signal.addEventListener('abort', check, { once: true });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const retry = new Backoff({ initialMs: 200, maxMs: 30_000 });
    const { clock, logger } = this.#deps.context.deps;
    while (!signal.aborted) {
      this.#awake = false;
      this.#wakeAtMs = undefined;
      this.#turn = new AbortController();
      const turn = AbortSignal.any([signal, this.#turn.signal]);
      try {
        if (await this.#sync(turn)) return;
        retry.reset();
      } catch (error) {
        if (!turn.aborted) {
          logger.warn({ err: error, pod: podText(this.#pod) }, 'pod could not be synced; trying again');
          this.#wakeBy(clock.now() + retry.next());
        }
      }
      if (!this.#awake && !signal.aborted) await this.#sleep(signal);
    }
    for (const probes of this.#probes.values()) probes.stop();
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps.context.deps;
    await new Promise<void>((resolve) => {
      const cancel =
        this.#wakeAtMs === undefined ? () => {} : clock.after(Math.max(0, this.#wakeAtMs - clock.now()), resolve);
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
    this.#wake = () => {};
  }

  #wakeBy(atMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs ?? atMs, atMs);
  }

  /** One turn; true when the pod is gone for good. */
  async #sync(signal: AbortSignal): Promise<boolean> {
    if (this.#phase === 'terminated') return this.#finish();
    await this.#read(signal);
    if (this.#ends() || this.#phase === 'terminating') return this.#terminate();
    if (!this.#admitted) {
      const failure = this.#runtime.containers.length === 0 ? this.#deps.admit(this.#pod) : undefined;
      if (failure !== undefined) return this.#reject(failure);
      this.#admitted = true;
    }
    this.#followProbes();
    const phase = this.#report(false);
    if (phase === 'Succeeded' || phase === 'Failed') return this.#terminate();
    await this.#prepare();
    if (this.#volumes === undefined || this.#volumes.failures.length > 0) return false;
    const plan = planPod({ pod: this.#pod, runtime: this.#runtime, health: (id) => this.#health(id) });
    if (plan.killPod) return this.#terminate();
    if (await this.#apply(plan, signal)) {
      await this.#read(signal);
      this.#followProbes();
      this.#report(false);
      await this.#removeOldRuns();
    }
    return false;
  }

  /** Reads the runtime; containers that are said to have ended are waited for shortly. */
  async #read(signal?: AbortSignal): Promise<void> {
    const { reader, deps } = this.#deps.context;
    const { uid } = this.#pod.metadata;
    let runtime = await reader.read(uid, signal);
    for (let tries = 0; tries < STALE_READS && this.#stoppedIDs.size > 0; tries++) {
      const stale = runtime.containers.some(({ id, state }) => state === 'running' && this.#stoppedIDs.has(id));
      const staleSandbox = runtime.sandboxes.some(({ id, ready }) => ready && this.#stoppedIDs.has(id));
      if (!stale && !staleSandbox) break;
      await deps.clock.sleep(FAST_RETRY_MS * (tries + 1), signal);
      runtime = await reader.read(uid, signal);
    }
    this.#stoppedIDs.clear();
    this.#runtime = runtime;
    this.#deps.seen(uid, runtime);
    for (const check of this.#endWaiters) check();
    for (const container of runtime.containers) {
      if (container.state !== 'exited' || this.#messages.has(container.id)) continue;
      const path = terminationLogPath(this.#deps.context, uid, container.name, container.restartCount);
      this.#messages.set(container.id, await terminationMessage(container, path));
    }
  }

  /** The pod is to end: it is deleted, removed, or over its deadline. */
  #ends(): boolean {
    if (this.#removed || this.#pod.metadata.deletionTimestamp !== undefined || this.#failure !== undefined) return true;
    const { activeDeadlineSeconds } = this.#pod.spec;
    const { startTime } = this.pod.status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const deadline = parseTime(startTime) + activeDeadlineSeconds * 1000;
    if (deadline > this.#deps.context.deps.clock.now()) {
      this.#wakeBy(deadline);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failure = { reason: 'DeadlineExceeded', message };
    this.#deps.context.deps.recorder.event(podSubject(this.#pod), 'Normal', 'DeadlineExceeded', message);
    return true;
  }

  async #reject(failure: PodFailure): Promise<boolean> {
    const { recorder } = this.#deps.context.deps;
    recorder.event(podSubject(this.#pod), 'Warning', failure.reason, failure.message);
    const reason = failure.reason;
    const { clock } = this.#deps.context.deps;
    this.#deps.statuses.set(this.#pod, {
      ...this.#pod.status,
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${failure.message}`,
      startTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    });
    this.#phase = 'terminated';
    return this.#finish();
  }

  /** Sends the status that the runtime now gives; returns the phase before it is held back. */
  #report(finished: boolean): string {
    const { context, statuses } = this.#deps;
    const input = {
      pod: this.pod,
      runtime: this.#runtime,
      runtimeName: context.runtimeName,
      waiting: (name: string) => this.#waiting.get(name),
      health: (id: string) => this.#health(id),
      terminationMessage: (container: RuntimeContainer) => this.#messages.get(container.id) ?? '',
      nowMs: context.deps.clock.now(),
      hostIPs: context.options.nodeIPs,
      finished,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    const status = podStatus(input);
    statuses.set(this.#pod, status);
    if (finished || this.#failure !== undefined) return status.phase ?? '';
    const ready = status.conditions?.find((condition) => condition.type === 'ContainersReady');
    if (ready?.reason === 'PodCompleted') return 'Succeeded';
    return ready?.reason === 'PodFailed' ? 'Failed' : (status.phase ?? '');
  }

  #health(id: string): ContainerHealth & { ready: boolean } {
    const probes = this.#probes.get(id);
    if (probes === undefined) return { started: false, ready: false };
    const { started, ready, livenessFailed, startupFailed } = probes;
    return { started, ready, livenessFailed, startupFailed };
  }

  /** Every running container has its probes, nothing else has. */
  #followProbes(): void {
    const { context } = this.#deps;
    const { cri, clock, recorder } = context.deps;
    const specs = new Map(specContainers(this.#pod.spec).map((spec) => [spec.container.name, spec]));
    const running = new Set<string>();
    for (const runtimeContainer of this.#runtime.containers) {
      const spec = specs.get(runtimeContainer.name);
      if (runtimeContainer.state !== 'running' || spec === undefined) continue;
      running.add(runtimeContainer.id);
      if (this.#probes.has(runtimeContainer.id)) continue;
      const container = probedContainer(spec);
      const target = { container, containerID: runtimeContainer.id };
      const probes = new ContainerProbes(container, runtimeContainer.startedAtMs, {
        clock,
        run: (probe) => runProbe(probe, { ...target, podIP: this.#podIPs()[0] ?? '' }, cri.runtime),
        unhealthy: (message) => recorder.event(containerSubject(this.#pod, spec), 'Warning', 'Unhealthy', message),
        changed: () => this.wake(),
      });
      this.#probes.set(runtimeContainer.id, probes);
    }
    for (const [id, probes] of this.#probes) {
      if (running.has(id)) continue;
      probes.stop();
      this.#probes.delete(id);
    }
  }

  #podIPs(): readonly string[] {
    if (this.#pod.spec.hostNetwork === true) return this.#deps.context.options.nodeIPs;
    return this.#runtime.sandboxes.find((sandbox) => sandbox.ips.length > 0)?.ips ?? [];
  }

  /** The pod's directories, cgroup and volumes. */
  async #prepare(): Promise<void> {
    const { context } = this.#deps;
    const { deps } = context;
    const pod = this.#pod;
    const { uid, namespace } = pod.metadata;
    if (!this.#cgroupMade) {
      await mkdir(podDirectory(context, uid), { recursive: true, mode: 0o750 });
      await mkdir(podLogDirectory(context.options, pod), { recursive: true, mode: 0o755 });
      await context.cgroups.create(pod);
      this.#cgroupMade = true;
    }
    if (this.#waits(VOLUMES)) return;
    this.#volumes = await context.volumes.setUp(pod, {
      object: (type, name) => context.objects.get(type, namespace, name, uid),
      tokens: context.tokens,
      clock: deps.clock,
      exec: deps.exec,
      context: fieldContext(context, this.#podIPs()),
    });
    for (const { volume, message } of this.#volumes.failures) {
      const text = `MountVolume.SetUp failed for volume "${volume}" : ${message}`;
      deps.recorder.event(podSubject(pod), 'Warning', 'FailedMount', text);
    }
    if (this.#volumes.failures.length > 0) {
      const retryAtMs = deps.clock.now() + this.#volumeBackoff.next();
      this.#retryAt.set(VOLUMES, retryAtMs);
      this.#wakeBy(retryAtMs);
    } else this.#volumeBackoff.reset();
    if (this.#volumes.refreshAtMs !== undefined) this.#wakeBy(this.#volumes.refreshAtMs);
  }

  /** Carries the plan out; true when something changed. */
  async #apply(plan: PodPlan, signal: AbortSignal): Promise<boolean> {
    const { context } = this.#deps;
    const pod = this.#pod;
    const specs = specContainers(pod.spec);
    for (const { container, message, reason } of plan.kill) {
      const spec = specs.find((candidate) => candidate.container.name === container.name);
      const probe = reason === 'LivenessProbe' ? 'livenessProbe' : 'startupProbe';
      const own =
        reason === 'LivenessProbe' || reason === 'StartupProbe'
          ? spec?.container[probe]?.terminationGracePeriodSeconds
          : undefined;
      const graceSeconds = own ?? this.#graceSeconds(pod);
      await killContainer({ pod, container, spec, graceSeconds, message, podIP: this.#podIPs()[0] ?? '' }, context);
    }
    let changed = plan.kill.length > 0;
    if (changed) await this.#read(signal);
    let start = plan.start;
    if (plan.createSandbox !== undefined) {
      if (!(await this.#createSandbox(plan.createSandbox.attempt, signal))) return true;
      changed = true;
      await this.#read(signal);
      const again = planPod({ pod: this.#pod, runtime: this.#runtime, health: (id) => this.#health(id) });
      start = again.start;
    }
    for (const action of start) if (await this.#start(action, signal)) changed = true;
    return changed;
  }

  async #createSandbox(attempt: number, signal: AbortSignal): Promise<boolean> {
    const { context } = this.#deps;
    const { cri, recorder, clock } = context.deps;
    const pod = this.#pod;
    if (this.#runtime.sandboxes.length > 0) {
      recorder.event(
        podSubject(pod),
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
      );
      await this.#stopEverything(this.#graceSeconds(pod));
    }
    try {
      const handler = ''; // Runtime classes name handlers; the default one is ''.
      await cri.runtime.runPodSandbox(sandboxConfig(pod, attempt, context), handler, { signal });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const message = `Failed to create pod sandbox: ${error instanceof Error ? error.message : error}`;
      recorder.event(podSubject(pod), 'Warning', 'FailedCreatePodSandBox', message);
      this.#wakeBy(clock.now() + SANDBOX_RETRY_MS);
      return false;
    }
  }

  async #start(action: StartAction, signal: AbortSignal): Promise<boolean> {
    const { name } = action.container;
    const { context } = this.#deps;
    const { clock, recorder } = context.deps;
    const pod = this.#pod;
    const sandbox = this.#runtime.sandboxes[0];
    if (sandbox?.ready !== true) return false;
    if (action.previous?.state === 'exited') {
      const { finishedAtMs, id } = action.previous;
      const wait = this.#backoff.waitFor(name, finishedAtMs, clock.now());
      if (wait !== undefined) {
        this.#wakeBy(wait.untilMs);
        if (this.#backoffReported.has(id)) return false;
        this.#backoffReported.add(id);
        recorder.event(
          containerSubject(pod, action),
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${name} in pod ${podText(pod)}`,
        );
        const text = `back-off ${formatDuration(wait.backoffMs)} restarting failed container=${name} pod=${podText(pod)}`;
        this.#waiting.set(name, { reason: 'CrashLoopBackOff', message: text });
        return true;
      }
      this.#backoff.tried(name, finishedAtMs, clock.now());
    }
    if (this.#waits(name)) return false;
    try {
      await startContainer(
        {
          pod,
          action,
          sandboxID: sandbox.id,
          sandbox: sandboxConfig(pod, sandbox.attempt, context),
          volumes: this.#volumes?.mounted ?? new Map(),
          podIPs: this.#podIPs(),
          running: (wanted) => this.#runtime.containers.find((one) => one.name === wanted && one.state === 'running'),
        },
        context,
        signal,
      );
      this.#waiting.delete(name);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.#waiting.set(name, { reason: error.reason, message: error.message });
      if (error.retryAtMs === undefined) this.wake();
      else {
        this.#retryAt.set(name, error.retryAtMs);
        this.#wakeBy(error.retryAtMs);
      }
    }
    return true;
  }

  /** Whether a failed try is too fresh for the next one. */
  #waits(name: string): boolean {
    const retryAtMs = this.#retryAt.get(name);
    if (retryAtMs === undefined) return false;
    if (retryAtMs > this.#deps.context.deps.clock.now()) {
      this.#wakeBy(retryAtMs);
      return true;
    }
    this.#retryAt.delete(name);
    return false;
  }

  /** Of every container the runs before the last one are removed, with their logs. */
  async #removeOldRuns(): Promise<void> {
    const { context } = this.#deps;
    const seen = new Map<string, number>();
    for (const container of this.#runtime.containers) {
      const count = (seen.get(container.name) ?? 0) + 1;
      seen.set(container.name, count);
      if (count <= KEPT_RUNS || container.state !== 'exited') continue;
      await context.deps.cri.runtime.removeContainer(container.id);
      this.#messages.delete(container.id);
      this.#backoffReported.delete(container.id);
      const path = terminationLogPath(context, this.#pod.metadata.uid, container.name, container.restartCount);
      await rm(path, { force: true });
      await rm(container.logPath, { force: true });
    }
  }

  #graceSeconds(pod: Pod): number {
    return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  }

  async #terminate(): Promise<boolean> {
    const { context } = this.#deps;
    this.#phase = 'terminating';
    for (const probes of this.#probes.values()) probes.stopLiveness();
    this.#followProbes();
    this.#report(false);
    await this.#stopEverything(
      this.#removed ? Math.min(this.#graceSeconds(this.#pod), REMOVED_GRACE_SECONDS) : this.#graceSeconds(this.#pod),
    );
    await this.#read();
    for (const probes of this.#probes.values()) probes.stop();
    this.#probes.clear();
    this.#report(true);
    await context.volumes.tearDown(this.#pod.metadata.uid, context.deps.exec);
    await context.cgroups.remove(this.#pod.metadata.uid);
    context.objects.release(this.#pod.metadata.uid);
    context.tokens.release(this.#pod.metadata.uid);
    context.images.release(this.#pod.metadata.uid);
    this.#phase = 'terminated';
    return this.#finish();
  }

  /** Stops the containers that run, then the sandboxes. A shorter grace period that is set meanwhile takes effect at once. */
  async #stopEverything(graceSeconds: number): Promise<void> {
    const { context } = this.#deps;
    const { runtime } = context.deps.cri;
    const running = this.#runtime.containers.filter(
      ({ state }) => state === 'running' || state === 'unknown' || state === 'created',
    );
    this.#shorterGrace = () => {
      const grace = this.#removed ? 0 : this.#graceSeconds(this.#pod);
      for (const { id } of running) {
        runtime.stopContainer(id, grace).catch((error: unknown) => {
          if (!isCriError(error, 'NotFound'))
            context.deps.logger.debug({ err: error }, 'container could not be stopped faster');
        });
      }
    };
    try {
      await killContainers(this.#pod, running, graceSeconds, this.#podIPs()[0] ?? '', context);
      for (const { id } of this.#runtime.sandboxes) await runtime.stopPodSandbox(id);
    } finally {
      this.#shorterGrace = undefined;
    }
  }

  /** After the end: the API object goes when it is deleted, and what is left on the node when it has left its source. */
  async #finish(): Promise<boolean> {
    const { context, statuses, ended } = this.#deps;
    const { uid, name, namespace, deletionTimestamp } = this.#pod.metadata;
    await statuses.flush(uid);
    if (!this.#removed) {
      if (deletionTimestamp !== undefined && !isStaticPod(this.#pod)) {
        await deletePod(context, { namespace, name, uid });
      }
      return false;
    }
    const { runtime } = context.deps.cri;
    for (const { id } of this.#runtime.containers) await ignoreGone(runtime.removeContainer(id));
    for (const { id } of this.#runtime.sandboxes) await ignoreGone(runtime.removePodSandbox(id));
    context.reader.forget(this.#runtime);
    await rm(podLogDirectory(context.options, this.#pod), { recursive: true, force: true });
    await rm(join(podDirectory(context, uid)), { recursive: true, force: true });
    statuses.forget(uid);
    ended(uid);
    return true;
  }
}

const VOLUMES = '*volumes';
const SANDBOX_RETRY_MS = 5_000;
/** The last run and the one before it are kept for their logs. */
const KEPT_RUNS = 2;
/** A pod that was deleted by force gets no more than this. */
const REMOVED_GRACE_SECONDS = 30;

/** What of an API pod its worker acts on: all but our own status. */
function desiredPart({ metadata, spec, status }: Pod): object {
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const foreign = (status?.conditions ?? []).filter((condition) => !OWN_CONDITIONS.has(condition.type));
  return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, spec, foreign };
}

/** Plain init containers and ephemeral ones have no probes. */
function probedContainer(spec: SpecContainer): Container {
  if (spec.kind === 'app' || (spec.kind === 'init' && isSidecar(spec.container))) return spec.container as Container;
  return { name: spec.container.name };
}

async function deletePod(
  context: KubeletContext,
  key: { namespace: string; name: string; uid: string },
): Promise<void> {
  try {
    await context.deps.client.delete(resources.pods, key, { gracePeriodSeconds: 0, preconditions: { uid: key.uid } });
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}

async function ignoreGone(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isCriError(error, 'NotFound')) throw error;
  }
}
