import { resources } from '../../api/generated/resources.ts';
import type { Pod as ApiPod } from '../../api/generated/types.ts';
import { keyOf } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Informer } from '../../client/client.ts';
import type { KubeletContext } from '../context.ts';
import { isMirrorPod, isStaticPod } from '../labels.ts';
import { Preemption } from '../preemption/preemption.ts';
import { type Need, NoVictimsError } from '../preemption/victims.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { createMirror, deleteMirror, mirrorAction } from '../sources/mirror-pods.ts';
import type { CountedPod } from '../stats/pod-counts.ts';
import type { Pod } from '../types.ts';
import { admitPod } from './admission.ts';
import { evictPod } from './evict-pod.ts';
import { removeOrphans } from './orphans.ts';
import type { PodFailure } from './pod-status.ts';
import { PodWorker } from './pod-worker.ts';
import { StatusManager } from './status-manager.ts';

const MIRROR_RETRY_MS = 5_000;
/** Containers of other users of the runtime end too: they are never seen. */
const MAX_ENDED_EARLY = 1_000;

/** The pods of the node: from the API server and from static manifests, each with its worker. */
export class PodManager implements Component {
  readonly name = 'pods';
  readonly #context: KubeletContext;
  readonly #informer: Informer<ApiPod>;
  readonly #statuses: StatusManager;
  readonly #preemption: Preemption;
  readonly #workers = new Map<string, PodWorker>();
  readonly #podOfContainer = new Map<string, string>();
  readonly #running = new Set<Promise<void>>();
  /** Containers that ended before their worker had seen them, the last ones. */
  readonly #endedEarly = new Set<string>();
  /** Static pods by `namespace/name`. */
  #static = new Map<string, Pod>();
  #mirrorsDirty = false;
  #mirroring: Promise<void> | undefined;
  #signal: AbortSignal | undefined;

  constructor(context: KubeletContext) {
    this.#context = context;
    const { deps, options } = context;
    this.#informer = deps.informers.for(resources.pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    this.#statuses = new StatusManager({
      client: deps.client,
      clock: deps.clock,
      logger: deps.logger,
      apiPod: (pod) => this.#apiPod(pod),
    });
    this.#preemption = new Preemption({
      recorder: deps.recorder,
      metrics: context.metrics,
      pods: () => this.#others(''),
      evict: (uid, failure) => this.evict(uid, failure),
    });
  }

  /** Pods with the status that this kubelet last gave them. */
  *pods(): Iterable<Pod> {
    for (const worker of this.#workers.values()) yield worker.pod;
  }

  workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  find(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace === namespace && metadata.name === name) return worker;
    }
    return undefined;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** What is known of each pod, for those who count them. */
  *counted(): Iterable<CountedPod> {
    for (const { pod, lifecycle, removed } of this.#workers.values()) yield { pod, lifecycle, desired: !removed };
  }

  /** How many pods of the API show static pods. */
  get mirrors(): number {
    return [...this.#informer.lister.list()].filter(isMirrorPod).length;
  }

  /** Id and log file of every container that runs. */
  *runningContainers(): Iterable<{ id: string; logPath: string }> {
    for (const worker of this.#workers.values()) {
      for (const { id, logPath, state } of worker.runtime.containers) {
        if (state === 'running' && logPath !== '') yield { id, logPath };
      }
    }
  }

  /** Pods that run or are about to: those that eviction may end. */
  *activePods(): Iterable<Pod> {
    for (const worker of this.#workers.values()) if (worker.active) yield worker.pod;
  }

  /** Ends a pod for a reason of the node's. */
  fail(uid: string, failure: PodFailure): void {
    this.#workers.get(uid)?.fail(failure);
  }

  /** The same; resolves to whether nothing of it runs any more within the time that it may take. */
  async evict(uid: string, failure: PodFailure): Promise<boolean> {
    const worker = this.#workers.get(uid);
    if (worker === undefined || this.#signal === undefined) return true;
    return evictPod(worker, failure, this.#context.deps, this.#signal);
  }

  /** Gives back what pods that have ended hold of the disk. */
  async discardEnded(): Promise<void> {
    for (const worker of this.#workers.values()) await worker.discardEnded();
  }

  /** Something of a pod is still there, or its end is not told yet. */
  isHere(uid: string): boolean {
    return this.#workers.get(uid)?.terminated === false;
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  objectChanged(uid: string): void {
    this.#workers.get(uid)?.objectChanged();
  }

  containerStopped(id: string): void {
    const uid = this.#podOfContainer.get(id);
    if (uid !== undefined) this.#workers.get(uid)?.containerStopped(id);
    else this.#rememberEnd(id);
  }

  #rememberEnd(id: string): void {
    this.#endedEarly.add(id);
    const [oldest] = this.#endedEarly;
    if (this.#endedEarly.size > MAX_ENDED_EARLY && oldest !== undefined) this.#endedEarly.delete(oldest);
  }

  setStaticPods(pods: readonly Pod[]): void {
    const next = new Map(pods.map((pod) => [keyOf(pod), pod]));
    for (const [key, old] of this.#static) {
      if (next.get(key)?.metadata.uid !== old.metadata.uid) this.#workers.get(old.metadata.uid)?.remove();
    }
    this.#static = next;
    for (const pod of pods) this.#ensure(pod);
    this.#syncMirrors();
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    await this.#informer.synced(signal);
    for (const pod of this.#static.values()) this.#ensure(pod);
    const removeHandler = this.#informer.addHandler({
      onAdd: (pod) => this.#changed(pod),
      onUpdate: (pod) => this.#changed(pod),
      onDelete: (pod) => this.#deleted(pod),
    });
    try {
      this.#syncMirrors();
      // Some may have gone while no kubelet ran.
      this.#context.managers.topology.reclaim();
      ready();
      await removeOrphans(this.#context, (uid) => this.#workers.has(uid), signal).catch((error: unknown) => {
        if (!signal.aborted) this.#context.deps.logger.warn({ err: error }, 'orphaned pods could not be removed');
      });
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      removeHandler();
      await Promise.all(this.#running);
    }
  }

  #apiPod(pod: Pod): Pod | undefined {
    const found = this.#informer.lister.get(keyOf(pod));
    if (found === undefined) return undefined;
    return isMirrorPod(found) || found.metadata.uid === pod.metadata.uid ? found : undefined;
  }

  #changed(pod: Pod): void {
    if (isMirrorPod(pod)) {
      const own = this.#static.get(keyOf(pod));
      if (own !== undefined) this.#statuses.resend(own.metadata.uid);
      this.#syncMirrors();
    } else this.#ensure(pod);
  }

  #deleted(pod: Pod): void {
    if (isMirrorPod(pod)) this.#syncMirrors();
    else this.#workers.get(pod.metadata.uid)?.remove();
  }

  #ensure(pod: Pod): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    const { uid } = pod.metadata;
    const known = this.#workers.get(uid);
    if (known !== undefined) {
      known.update(pod);
      return;
    }
    // The old version of a static pod goes first: both would want the same ports. Its end comes back here.
    if (isStaticPod(pod) && this.find(pod.metadata.namespace, pod.metadata.name) !== undefined) return;
    const worker = new PodWorker(pod, {
      context: this.#context,
      statuses: this.#statuses,
      admit: (candidate) => this.#admit(candidate),
      makingRoom: () => this.#preemption.underWay,
      makeRoom: (grown, needs) => this.#makeRoom(grown, needs),
      others: (own) => this.#others(own),
      freed: () => this.#freed(),
      seen: (owner, runtime) => this.#seen(owner, runtime),
      ended: (owner) => this.#ended(owner),
    });
    this.#workers.set(uid, worker);
    const running = worker.run(signal).catch((error: unknown) => {
      this.#context.deps.logger.error({ err: error, pod: pod.metadata.name }, 'pod worker failed');
    });
    this.#running.add(running);
    running.finally(() => this.#running.delete(running)).catch(() => {});
  }

  /** The pods that take something from the node, without one. */
  #others(uid: string): Pod[] {
    const others: Pod[] = [];
    for (const [other, worker] of this.#workers) {
      if (other !== uid && worker.occupies) others.push(worker.pod);
    }
    return others;
  }

  /** Resizes that had to wait may go on now, and what containers had to themselves is free. */
  #freed(): void {
    this.#context.managers.topology.reclaim();
    for (const worker of this.#workers.values()) if (worker.resizeDeferred) worker.wake();
  }

  /** What a critical pod lacks begins to be made free. */
  #admit(pod: Pod): PodFailure | undefined {
    const others = this.#others(pod.metadata.uid);
    const { allocatable, node, features, options, pressure, shutdown } = this.#context;
    const allowedUnsafeSysctls = options.allowedUnsafeSysctls ?? [];
    const refusal = admitPod({ pod, node: node(), others, allocatable, features, allowedUnsafeSysctls });
    const failure = refusal !== undefined && 'failure' in refusal ? refusal.failure : undefined;
    const refused = pressure.refusal(pod) ?? failure ?? shutdown.refusal();
    if (refused !== undefined || refusal === undefined || !('needs' in refusal)) return refused;
    try {
      this.#preemption.begin(pod, refusal.needs);
      return undefined;
    } catch (error) {
      if (!(error instanceof NoVictimsError)) throw error;
      const cause = `preemption: error finding a set of pods to preempt: ${error.message}`;
      const message = `Unexpected error while attempting to recover from admission failure: ${cause}`;
      return { reason: 'UnexpectedAdmissionError', message };
    }
  }

  #makeRoom(pod: Pod, needs: readonly Need[]): Promise<boolean> | undefined {
    const { underWay } = this.#preemption;
    if (underWay !== undefined) return underWay.then(() => false);
    try {
      this.#preemption.begin(pod, needs);
    } catch (error) {
      if (!(error instanceof NoVictimsError)) throw error;
      return undefined;
    }
    return this.#preemption.underWay?.then(() => true);
  }

  #seen(uid: string, runtime: PodRuntime): void {
    this.#context.cpuPinning?.follow(uid, runtime);
    for (const { id } of [...runtime.containers, ...runtime.sandboxes]) {
      this.#podOfContainer.set(id, uid);
      if (this.#endedEarly.delete(id)) this.#workers.get(uid)?.containerStopped(id);
    }
  }

  #ended(uid: string): void {
    this.#workers.delete(uid);
    for (const [id, owner] of this.#podOfContainer) if (owner === uid) this.#podOfContainer.delete(id);
    for (const pod of this.#static.values()) if (!this.#workers.has(pod.metadata.uid)) this.#ensure(pod);
  }

  /** One pass at a time; a change during a pass causes another. */
  #syncMirrors(): void {
    if (this.#signal === undefined || this.#signal.aborted) return;
    this.#mirrorsDirty = true;
    this.#mirroring ??= this.#mirrorAll(this.#signal).finally(() => {
      this.#mirroring = undefined;
    });
  }

  async #mirrorAll(signal: AbortSignal): Promise<void> {
    const { client, logger, clock } = this.#context.deps;
    while (this.#mirrorsDirty && !signal.aborted) {
      this.#mirrorsDirty = false;
      const keys = new Set(this.#static.keys());
      for (const pod of this.#informer.lister.list()) if (isMirrorPod(pod)) keys.add(keyOf(pod));
      for (const key of keys) {
        const pod = this.#static.get(key);
        const mirror = this.#informer.lister.get(key);
        try {
          const action = mirror !== undefined && !isMirrorPod(mirror) ? 'none' : mirrorAction(pod, mirror);
          if (action === 'create' && pod !== undefined) await createMirror(pod, this.#context.node(), client, signal);
          else if (action === 'delete' && mirror !== undefined) await deleteMirror(mirror, client, signal);
        } catch (error) {
          if (signal.aborted) return;
          logger.debug({ err: error, pod: key }, 'mirror pod could not be synced');
          clock.after(MIRROR_RETRY_MS, () => this.#syncMirrors());
        }
      }
    }
  }
}
