import { rm } from 'node:fs/promises';
import { Backoff } from '../../base/backoff.ts';
import { describeError } from '../../base/errors.ts';
import { podSubject } from '../container/container-events.ts';
import { killContainer } from '../container/kill.ts';
import { terminationLogPath } from '../container/mounts.ts';
import type { StartInput } from '../container/start.ts';
import type { KubeletContext } from '../context.ts';
import { ensureVolumeImages, type VolumeImages } from '../images/image-volumes.ts';
import { removeLogs } from '../logs/rotate.ts';
import { ignoreNotFound } from '../runtime/not-found.ts';
import { type Pod, specContainers } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import type { AddressAdmission } from './address-admission.ts';
import type { ContainerStarter } from './container-starter.ts';
import type { KillAction, PodPlan, StartAction } from './plan.ts';
import type { PodReader } from './pod-reader.ts';
import { removeContainer } from './pod-removal.ts';
import type { PodSandbox } from './pod-sandbox.ts';
import type { RetryTimes } from './retry-times.ts';
import { sandboxConfig } from './sandbox-config.ts';

export interface PodActionsDeps {
  readonly context: KubeletContext;
  readonly reader: PodReader;
  readonly sandbox: PodSandbox;
  readonly starter: ContainerStarter;
  readonly admission: AddressAdmission;
  readonly retries: RetryTimes;
  /** Look at the pod again at this time. */
  readonly wakeBy: (atMs: number) => void;
  /** As it is to run now. */
  readonly pod: () => Pod;
  readonly podIPs: () => readonly string[];
  readonly volumes: () => ReadonlyMap<string, MountedVolume>;
  readonly graceSeconds: () => number;
  /** Aborts when the kubelet stops. */
  readonly stopping: () => AbortSignal;
  /** What is to do by what was last read. */
  readonly plan: () => PodPlan;
  readonly read: (signal: AbortSignal) => Promise<void>;
  /** Reads only what was made. */
  readonly readMade: (signal: AbortSignal) => Promise<void>;
}

const ADMISSION_RETRY_MS = 5_000;
const SANDBOX = '*sandbox';
/** Upstream's pod workers come back to a pod whose sync failed after 10 to 15 s. */
const MAX_SANDBOX_RETRY_MS = 15_000;

/** Does what the plan of a pod says: kills, makes a sandbox, starts, and clears away what has ended before. */
export class PodActions {
  readonly #deps: PodActionsDeps;
  readonly #sandboxBackoff = new Backoff({ initialMs: 1_000, maxMs: MAX_SANDBOX_RETRY_MS });

  constructor(deps: PodActionsDeps) {
    this.#deps = deps;
  }

  /** Carries the plan out; true when something changed. */
  async apply(plan: PodPlan, signal: AbortSignal): Promise<boolean> {
    await Promise.all(plan.kill.map((action) => this.#kill(action)));
    let changed = plan.kill.length > 0;
    if (changed) await this.#deps.read(signal);
    let start = plan.start;
    if (plan.createSandbox !== undefined) {
      // What a try that failed leaves in the runtime, and its end there, are no reason for the next one.
      if (this.#deps.retries.waits(SANDBOX)) return changed;
      if (!(await this.#createSandbox(plan.createSandbox.attempt, signal))) return true;
      changed = true;
      await this.#deps.readMade(signal);
      start = this.#deps.plan().start;
    }
    if (
      start.length > 0 &&
      !(await this.#deps.admission.admit(this.#deps.pod(), this.#deps.reader.runtime.sandboxes[0], signal))
    ) {
      this.#deps.wakeBy(this.#deps.context.deps.clock.monotonic() + ADMISSION_RETRY_MS);
      return true;
    }
    const images = this.#volumeImages(signal);
    for (const action of start) if (await this.#start(action, images, signal)) changed = true;
    return changed;
  }

  /** Brings the images of the pod's volumes onto the node, once for all containers that are started together. */
  #volumeImages(signal: AbortSignal): StartInput['images'] {
    let images: Promise<VolumeImages> | undefined;
    const { context } = this.#deps;
    return () => {
      const pod = this.#deps.pod();
      const sandbox = sandboxConfig(pod, this.#deps.reader.runtime.sandboxes[0]?.attempt ?? 0, context);
      images ??= ensureVolumeImages({ pod, sandbox, volumes: this.#deps.volumes() }, context, signal);
      return images;
    };
  }

  async #kill({ container, message, reason }: KillAction): Promise<void> {
    const pod = this.#deps.pod();
    const spec = specContainers(pod.spec).find((candidate) => candidate.container.name === container.name);
    const probe = reason === 'LivenessProbe' ? 'livenessProbe' : 'startupProbe';
    const own =
      reason === 'LivenessProbe' || reason === 'StartupProbe'
        ? spec?.container[probe]?.terminationGracePeriodSeconds
        : undefined;
    const graceSeconds = own ?? this.#deps.graceSeconds();
    const withoutHook = reason === 'RestartAll';
    const podIP = this.#deps.podIPs()[0] ?? '';
    const input = { pod, container, spec, graceSeconds, message, podIP, withoutHook };
    await killContainer(input, this.#deps.context, this.#deps.stopping());
  }

  async #createSandbox(attempt: number, signal: AbortSignal): Promise<boolean> {
    const { context, reader, sandbox, retries } = this.#deps;
    const { recorder, clock } = context.deps;
    const pod = this.#deps.pod();
    if (reader.runtime.sandboxes.length > 0) {
      recorder.event(
        podSubject(pod),
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
      );
      const podIP = this.#deps.podIPs()[0] ?? '';
      await sandbox.stop(pod, reader.runtime, this.#deps.graceSeconds(), podIP, this.#deps.stopping());
      await this.#deps.read(signal);
    }
    const id = (await this.#prepareClaims(pod, signal)) ? await sandbox.create(pod, attempt, signal) : undefined;
    if (id !== undefined) {
      reader.madeSandbox(id);
      this.#sandboxBackoff.reset();
      return true;
    }
    retries.failed(SANDBOX, clock.monotonic() + this.#sandboxBackoff.next());
    return false;
  }

  async #prepareClaims(pod: Pod, signal: AbortSignal): Promise<boolean> {
    const { claims, deps } = this.#deps.context;
    try {
      await claims.prepare(pod, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const message = `Failed to prepare dynamic resources: ${describeError(error)}`;
      deps.recorder.event(podSubject(pod), 'Warning', 'FailedPrepareDynamicResources', message);
      return false;
    }
  }

  async #start(action: StartAction, images: StartInput['images'], signal: AbortSignal): Promise<boolean> {
    const { runtime } = this.#deps.reader;
    const sandbox = runtime.sandboxes[0];
    if (sandbox?.ready !== true) return false;
    const input = {
      pod: this.#deps.pod(),
      action,
      sandboxID: sandbox.id,
      sandbox: sandboxConfig(this.#deps.pod(), sandbox.attempt, this.#deps.context),
      volumes: this.#deps.volumes(),
      images,
      podIPs: this.#deps.podIPs(),
      made: (id: string) => this.#deps.reader.madeContainer(id, sandbox.id),
      running: (wanted: string) => runtime.containers.find(({ name, state }) => name === wanted && state === 'running'),
    };
    return this.#deps.starter.start(input, signal);
  }

  /**
   * Of every container the runs that ended before the last that ended are removed, with their logs, and then the sandboxes that
   * nothing is left of; whether there were any runs.
   */
  async removeOldRuns(): Promise<boolean> {
    const { context } = this.#deps;
    const { containers } = this.#deps.reader.runtime;
    const ended = new Set<string>();
    const removed = new Set<string>();
    for (const container of containers) {
      if (container.state !== 'exited') continue;
      if (!ended.has(container.name)) {
        ended.add(container.name);
        continue;
      }
      removed.add(container.id);
      await removeContainer(this.#deps.pod(), container, context);
      this.#deps.reader.forget(container.id);
      this.#deps.starter.forget(container.id);
      const path = terminationLogPath(context, this.#deps.pod().metadata.uid, container.name, container.restartCount);
      await rm(path, { force: true });
      await removeLogs(container.logPath);
    }
    await this.#removeEmptySandboxes(new Set(containers.flatMap((one) => (removed.has(one.id) ? [] : one.sandboxID))));
    return removed.size > 0;
  }

  /** The newest one stays: it tells that there was one. */
  async #removeEmptySandboxes(used: ReadonlySet<string>): Promise<void> {
    const { context, reader } = this.#deps;
    for (const { id, ready } of reader.runtime.sandboxes.slice(1)) {
      if (!ready && !used.has(id)) await ignoreNotFound(context.deps.cri.runtime.removePodSandbox(id));
    }
  }
}
