import { Backoff } from '../../base/backoff.ts';
import { podSubject } from '../container/container-events.ts';
import { fieldContext, type KubeletContext } from '../context.ts';
import type { Pod } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import type { PodVolumes } from '../volumes/volume-manager.ts';
import { makePodDirectories } from './pod-directories.ts';
import type { RetryTimes } from './retry-times.ts';

const VOLUMES = '*volumes';
/** A claim may become bound at any time, and a kubelet may not watch claims. */
const MAX_VOLUME_RETRY_MS = 10_000;

export interface PodSetupDeps {
  readonly context: KubeletContext;
  readonly retries: RetryTimes;
  /** Look at the pod again at this time. */
  readonly wakeBy: (atMs: number) => void;
}

/** What a pod needs of the node before its containers: directories, cgroup and volumes. */
export class PodSetup {
  readonly #deps: PodSetupDeps;
  readonly #volumeBackoff = new Backoff({ initialMs: 500, maxMs: MAX_VOLUME_RETRY_MS });
  #volumes: PodVolumes | undefined;
  #cgroupMade = false;

  constructor(deps: PodSetupDeps) {
    this.#deps = deps;
  }

  /** By name; only those that are there. */
  get volumes(): ReadonlyMap<string, MountedVolume> {
    return this.#volumes?.mounted ?? new Map<string, MountedVolume>();
  }

  /** Makes what is missing, and brings volumes up to date; true when all is there. */
  async prepare(pod: Pod, podIPs: readonly string[]): Promise<boolean> {
    const { context, retries, wakeBy } = this.#deps;
    const { deps } = context;
    const { uid, namespace } = pod.metadata;
    if (!this.#cgroupMade) {
      await makePodDirectories(pod, context);
      await context.cgroups.create(pod);
      this.#cgroupMade = true;
    }
    if (retries.waits(VOLUMES)) return this.#complete();
    this.#volumes = await context.volumes.setUp(pod, {
      object: (type, name) => context.objects.get(type, namespace, name, uid),
      client: deps.client,
      node: context.node,
      tokens: context.tokens,
      clock: deps.clock,
      exec: deps.exec,
      context: fieldContext(context, podIPs),
    });
    const { failures, refreshAtMs } = this.#volumes;
    for (const text of failures) deps.recorder.event(podSubject(pod), 'Warning', 'FailedMount', text);
    if (failures.length > 0) retries.failed(VOLUMES, deps.clock.monotonic() + this.#volumeBackoff.next());
    else this.#volumeBackoff.reset();
    if (refreshAtMs !== undefined) wakeBy(deps.clock.monotonic() + refreshAtMs - deps.clock.now());
    return this.#complete();
  }

  /** The pod has ended. */
  async release(uid: string): Promise<void> {
    const { context } = this.#deps;
    await context.volumes.tearDown(uid, context.deps.exec);
    await context.cgroups.remove(uid);
    context.userNamespaces.release(uid);
    context.objects.release(uid);
    context.tokens.release(uid);
    context.images.release(uid);
  }

  #complete(): boolean {
    return this.#volumes !== undefined && this.#volumes.failures.length === 0;
  }
}
