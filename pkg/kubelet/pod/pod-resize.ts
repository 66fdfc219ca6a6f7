import { quantityValue } from '../../api/quantity.ts';
import { equalJSON } from '../../base/json.ts';
import { criErrorText } from '../../cri/index.ts';
import { podSubject } from '../container/container-events.ts';
import { linuxResources } from '../container/linux-resources.ts';
import type { KubeletContext } from '../context.ts';
import type { Need } from '../preemption/victims.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import { type Container, type Pod, type PodCondition, specContainers } from '../types.ts';
import {
  type Allocation,
  allocationFromStatus,
  allocationOf,
  changedResources,
  pinnedRefusal,
  type ResizeRefusal,
  resizeNeeds,
  resizeRefusal,
  resizeSummary,
  restartsFor,
  withAllocation,
} from './allocation.ts';
import { isCritical } from './critical.ts';

type Resources = NonNullable<Container['resources']>;
type Condition = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** What could not be given is asked for again this much later, if nothing becomes free before. */
const RETRY_MS = 180_000;
const ERROR_RETRY_MS = 10_000;

export interface PodResizeDeps {
  readonly context: KubeletContext;
  /** The other pods of the node, each with what it was given. */
  readonly others: () => readonly Pod[];
  readonly wakeBy: (atMs: number) => void;
  /** Look at the pod again now. */
  readonly wake: () => void;
  /**
   * Has other pods ended for a critical one; resolves when that is done, to whether it was for this pod: else it is to be asked
   * again. Undefined: nothing can be made free.
   */
  readonly makeRoom: (pod: Pod, needs: readonly Need[]) => Promise<boolean> | undefined;
}

/**
 * Follows a pod's wish for other amounts of CPU and memory while it runs: first the node gives them (or does not), then the
 * containers that run get them. Upstream's allocation manager and the resize half of its runtime manager.
 */
export class PodResize {
  readonly #deps: PodResizeDeps;
  #allocation: Allocation;
  #pending: ResizeRefusal | undefined;
  /** The pod's generation that others have to make room for, or have. */
  #room: { readonly generation: number | undefined; readonly made: boolean } | undefined;
  /** The pod's generation whose wish is being carried out. */
  #inProgress: { readonly generation: number | undefined; readonly error?: string } | undefined;
  /** By container id: what it has. */
  readonly #applied = new Map<string, Resources | undefined>();
  readonly #interrupted: boolean;

  constructor(pod: Pod, deps: PodResizeDeps) {
    this.#deps = deps;
    this.#allocation = allocationFromStatus(pod);
    this.#interrupted = pod.status?.conditions?.some(({ type }) => type === 'PodResizeInProgress') === true;
    if (this.#interrupted) this.#inProgress = { generation: pod.metadata.generation };
  }

  /** The node could not give what the pod asks for, but may some day. */
  get deferred(): boolean {
    return this.#pending?.reason === 'Deferred';
  }

  /** The pod as it is to run. */
  effective(desired: Pod): Pod {
    return equalJSON([...allocationOf(desired)], [...this.#allocation])
      ? desired
      : withAllocation(desired, this.#allocation);
  }

  /** Whether the node now gives the pod other amounts than before. */
  review(desired: Pod): boolean {
    const wanted = allocationOf(desired);
    if (equalJSON([...wanted], [...this.#allocation])) {
      this.#pending = undefined;
      return false;
    }
    const { context, others, wakeBy } = this.#deps;
    const { generation } = desired.metadata;
    const refusal =
      pinnedRefusal(desired, this.#allocation, context.managers) ??
      resizeRefusal(desired, others(), context.allocatable);
    const room = refusal?.reason === 'Deferred' && isCritical(desired) ? this.#roomFor(desired) : undefined;
    if (room === 'awaited') return false;
    if (refusal === undefined || room === 'made') {
      this.#allocation = wanted;
      this.#pending = undefined;
      this.#inProgress = { generation };
      this.#event(desired, 'Normal', 'ResizeStarted', `Pod resize started: ${resizeSummary(desired, generation)}`);
      return true;
    }
    if (!equalJSON(refusal, this.#pending)) {
      const text = `Pod resize ${refusal.reason}: ${resizeSummary(desired, generation, refusal.message)}`;
      this.#event(desired, 'Warning', `Resize${refusal.reason}`, text);
    }
    this.#pending = refusal;
    wakeBy(context.deps.clock.monotonic() + RETRY_MS);
    return false;
  }

  /** As a new pod, a critical one that grows has others ended, once. Undefined: that would not help. */
  #roomFor(desired: Pod): 'awaited' | 'made' | undefined {
    const { generation } = desired.metadata;
    if (this.#room?.generation === generation) return this.#room?.made === true ? 'made' : 'awaited';
    const { context, others, makeRoom, wake } = this.#deps;
    const making = makeRoom(desired, resizeNeeds(desired, others(), context.allocatable));
    if (making === undefined) return undefined;
    const awaited = { generation, made: false };
    this.#room = awaited;
    void making.then((own) => {
      if (this.#room === awaited) this.#room = own ? { generation, made: true } : undefined;
      wake();
    });
    return 'awaited';
  }

  /** Notes what containers that are new have: what the pod had been given when they were made. */
  note(runtime: PodRuntime): void {
    for (const { id, name } of runtime.containers) {
      if (!this.#applied.has(id))
        this.#applied.set(id, this.#interrupted ? undefined : (this.#allocation.get(name) ?? {}));
    }
    for (const id of this.#applied.keys()) {
      if (!runtime.containers.some((container) => container.id === id)) this.#applied.delete(id);
    }
  }

  /** Whether a running container gets its new amounts only by a restart. */
  needsRestart(container: RuntimeContainer, spec: Container): boolean {
    const applied = this.#applied.get(container.id);
    return applied !== undefined && restartsFor(spec, changedResources(applied, spec.resources ?? {}));
  }

  /** Gives running containers what the pod was given. True when that changed the status that is to be told. */
  async apply(pod: Pod, runtime: PodRuntime, signal: AbortSignal): Promise<boolean> {
    if (this.#inProgress === undefined) return false;
    const { context, wakeBy } = this.#deps;
    try {
      // A container's share may not exceed its pod's: what grows needs room above first, what shrinks leaves it after.
      await context.cgroups.create(pod).catch(() => {});
      const done = await this.#update(pod, runtime, signal);
      if (!done) return false;
      await context.cgroups.create(pod);
    } catch (error) {
      signal.throwIfAborted();
      wakeBy(context.deps.clock.monotonic() + ERROR_RETRY_MS);
      return this.#failed(pod, criErrorText(error));
    }
    const { generation } = this.#inProgress;
    this.#inProgress = undefined;
    this.#event(pod, 'Normal', 'ResizeCompleted', `Pod resize completed: ${resizeSummary(pod, generation)}`);
    return true;
  }

  conditions(): Condition[] {
    const found: Condition[] = [];
    if (this.#pending !== undefined) found.push({ type: 'PodResizePending', status: 'True', ...this.#pending });
    if (this.#inProgress !== undefined) {
      const { error } = this.#inProgress;
      const why = error === undefined ? {} : { reason: 'Error', message: error };
      found.push({ type: 'PodResizeInProgress', status: 'True', ...why });
    }
    return found;
  }

  /** False while a container is still to be started again. */
  async #update(pod: Pod, runtime: PodRuntime, signal: AbortSignal): Promise<boolean> {
    const { context } = this.#deps;
    let done = true;
    for (const { kind, container } of specContainers(pod.spec)) {
      if (kind === 'ephemeral') continue;
      const current = runtime.containers.find(({ name }) => name === container.name);
      if (current?.state !== 'running') continue;
      const wanted = container.resources ?? {};
      const applied = this.#applied.get(current.id);
      if (applied !== undefined && changedResources(applied, wanted).length === 0) continue;
      if (this.needsRestart(current, container as Container)) {
        done = false;
        continue;
      }
      await this.#checkMemory(current, applied, wanted, signal);
      const linux = linuxResources(pod, container, context);
      await context.deps.cri.runtime.updateContainerResources(current.id, linux, { signal });
      this.#applied.set(current.id, wanted);
    }
    return done;
  }

  /** A limit below what is used now would end the container. */
  async #checkMemory(
    { id, name }: RuntimeContainer,
    applied: Resources | undefined,
    wanted: Resources,
    signal: AbortSignal,
  ): Promise<void> {
    const limit = wanted.limits?.['memory'];
    if (limit === undefined || applied?.limits?.['memory'] === limit) return;
    const [stats] = await this.#deps.context.deps.cri.runtime.listContainerStats({ id }, { signal });
    const used = stats?.memory?.workingSetBytes?.value ?? 0;
    if (used <= quantityValue(limit)) return;
    throw new Error(
      `attempting to set memory limit of container "${name}" (${quantityValue(limit)}) below current usage (${used})`,
    );
  }

  #failed(pod: Pod, error: string): boolean {
    const { generation, error: before } = this.#inProgress ?? {};
    this.#inProgress = { generation, error };
    if (error === before) return false;
    this.#event(pod, 'Warning', 'ResizeError', `Pod resize error: ${resizeSummary(pod, generation, error)}`);
    return true;
  }

  #event(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.context.deps.recorder.event(podSubject(pod), type, reason, message);
  }
}
