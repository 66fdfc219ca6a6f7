import type { Clock } from '../../base/clock.ts';
import type { ClusterEvent } from '../framework/framework.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { Heap } from './heap.ts';

/** A pod on its way through the queue. */
export interface QueuedPod {
  info: PodInfo;
  /** Scheduling cycles so far. */
  attempts: number;
  /** When it (last) entered the queue: the order among equal priorities. */
  queuedAtMs: number;
  /** No earlier than this, in `clock.monotonic()` time. */
  notBeforeMs: number;
  /** The plugins that refused it last; their hints decide which events wake it. */
  rejectedBy: ReadonlySet<string>;
}

export interface SchedulingQueueOptions {
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A pod that nothing has woken for this long is tried again. */
  readonly maxUnschedulableMs: number;
}

export interface SchedulingQueueDeps {
  readonly clock: Clock;
  /** Whether `event` may make a pod fit that `plugin` has refused. */
  readonly mayHelp: (plugin: string, event: ClusterEvent, pod: PodInfo) => boolean;
}

/**
 * Pods that wait for a node: ready to be tried (by priority, then age), backing off after a failure, or unschedulable until an
 * event may help. One timer is set while something backs off or waits; none when the queue is empty.
 */
export class SchedulingQueue {
  readonly #options: SchedulingQueueOptions;
  readonly #deps: SchedulingQueueDeps;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active = new Heap<QueuedPod>(
    (a, b) => a.info.priority > b.info.priority || (a.info.priority === b.info.priority && a.queuedAtMs < b.queuedAtMs),
  );
  readonly #backingOff = new Heap<QueuedPod>((a, b) => a.notBeforeMs < b.notBeforeMs);
  /** In the order in which they were refused. */
  readonly #unschedulable = new Map<QueuedPod, number>();
  #wake: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SchedulingQueueOptions, deps: SchedulingQueueDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get size(): number {
    return this.#pods.size;
  }

  /** How many pods are in which part, for metrics. */
  counts(): { active: number; backoff: number; unschedulable: number } {
    return { active: this.#active.size, backoff: this.#backingOff.size, unschedulable: this.#unschedulable.size };
  }

  /** A new pod, or a pod that changed: an unschedulable one is tried again only when `retry` says so. */
  add(info: PodInfo, retry = true): void {
    const known = this.#pods.get(info.uid);
    if (known === undefined) {
      const queued: QueuedPod = {
        info,
        attempts: 0,
        queuedAtMs: this.#deps.clock.monotonic(),
        notBeforeMs: 0,
        rejectedBy: new Set(),
      };
      this.#pods.set(info.uid, queued);
      this.#activate(queued);
      return;
    }
    const priorityChanged = known.info.priority !== info.priority && this.#active.remove(known);
    known.info = info;
    if (priorityChanged) this.#active.push(known);
    if (retry && this.#unschedulable.delete(known)) this.#requeue(known);
  }

  /** A pod that is refused before it may be tried (scheduling gates): known, but only events bring it on. */
  addGated(info: PodInfo, plugin: string): void {
    this.remove(info.uid);
    const queued: QueuedPod = {
      info,
      attempts: 0,
      queuedAtMs: this.#deps.clock.monotonic(),
      notBeforeMs: 0,
      rejectedBy: new Set([plugin]),
    };
    this.#pods.set(info.uid, queued);
    this.#unschedulable.set(queued, Number.POSITIVE_INFINITY);
  }

  remove(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#pods.delete(uid);
    this.#active.remove(queued);
    this.#backingOff.remove(queued);
    this.#unschedulable.delete(queued);
  }

  /** Waits for the next pod to try; undefined when `signal` aborts. The pod is out of the queue until it is given back. */
  async next(signal: AbortSignal): Promise<QueuedPod | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const queued = this.tryNext();
      if (queued !== undefined) return queued;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  tryNext(): QueuedPod | undefined {
    const queued = this.#active.pop();
    if (queued !== undefined) {
      queued.attempts++;
      this.#pods.delete(queued.info.uid);
    }
    return queued;
  }

  /** Gives back a pod that no node takes; `rejectedBy` names the plugins whose hints may wake it. */
  addUnschedulable(queued: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    this.#backOff(queued);
    queued.rejectedBy = rejectedBy;
    this.#pods.set(queued.info.uid, queued);
    const giveUpMs = this.#deps.clock.monotonic() + this.#options.maxUnschedulableMs;
    this.#unschedulable.set(queued, giveUpMs);
    this.#setTimer(giveUpMs);
  }

  /** Gives back a pod that failed for a reason of ours (a binding that was refused): tried again after its back-off. */
  addFailed(queued: QueuedPod): void {
    this.#backOff(queued);
    this.#pods.set(queued.info.uid, queued);
    this.#requeue(queued);
  }

  /** Wakes the unschedulable pods that an event may help. */
  moveFor(event: ClusterEvent): void {
    for (const queued of [...this.#unschedulable.keys()]) {
      for (const plugin of queued.rejectedBy) {
        if (!this.#deps.mayHelp(plugin, event, queued.info)) continue;
        this.#unschedulable.delete(queued);
        this.#requeue(queued);
        break;
      }
    }
  }

  #backOff(queued: QueuedPod): void {
    const { initialBackoffMs, maxBackoffMs } = this.#options;
    const wait = Math.min(maxBackoffMs, initialBackoffMs * 2 ** (queued.attempts - 1));
    queued.notBeforeMs = this.#deps.clock.monotonic() + wait;
  }

  #requeue(queued: QueuedPod): void {
    if (queued.notBeforeMs <= this.#deps.clock.monotonic()) {
      this.#activate(queued);
      return;
    }
    this.#backingOff.push(queued);
    this.#setTimer(queued.notBeforeMs);
  }

  #activate(queued: QueuedPod): void {
    this.#active.push(queued);
    this.#wake?.();
  }

  #setTimer(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#deps.clock.after(atMs - this.#deps.clock.monotonic(), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#deps.clock.monotonic();
    for (
      let first = this.#backingOff.peek();
      first !== undefined && first.notBeforeMs <= nowMs;
      first = this.#backingOff.peek()
    ) {
      this.#backingOff.remove(first);
      this.#activate(first);
    }
    let nextMs = this.#backingOff.peek()?.notBeforeMs ?? Number.POSITIVE_INFINITY;
    for (const [queued, giveUpMs] of this.#unschedulable) {
      if (giveUpMs > nowMs) {
        nextMs = Math.min(nextMs, giveUpMs);
        continue;
      }
      this.#unschedulable.delete(queued);
      this.#activate(queued);
    }
    if (Number.isFinite(nextMs)) this.#setTimer(nextMs);
  }
}
