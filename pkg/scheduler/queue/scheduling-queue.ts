import type { Clock } from '../../base/clock.ts';
import { type ClusterEvent, eventLabel } from '../framework/cluster-event.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { QueueName } from '../metrics.ts';
import { Heap } from './heap.ts';

/** A pod on its way through the queue. */
export interface QueuedPod {
  info: PodInfo;
  /** Scheduling cycles so far. */
  attempts: number;
  /** When it first entered the queue, in `clock.monotonic()` time. */
  readonly firstQueuedAtMs: number;
  /** When it (last) entered the queue: the order among equal priorities. */
  queuedAtMs: number;
  /** No earlier than this, in `clock.monotonic()` time. */
  notBeforeMs: number;
  /** The plugins that refused it last; their hints decide which events wake it. */
  rejectedBy: ReadonlySet<string>;
  /** Refused before it may be tried at all (by a scheduling gate). */
  gated: boolean;
}

export interface SchedulingQueueOptions {
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A pod that nothing has woken for this long is tried again. */
  readonly maxUnschedulableMs: number;
}

export interface SchedulingQueueDeps {
  readonly clock: Clock;
  /** QueueSort: above zero when `a` goes first, below when `b` does. */
  readonly compare: (a: PodInfo, b: PodInfo) => number;
  /** PreEnqueue: the plugin that keeps a pod out, if one does. */
  readonly gatedBy: (pod: PodInfo) => string | undefined;
  /** Whether `event` may make a pod fit that `plugin` has refused. */
  readonly mayHelp: (plugin: string, event: ClusterEvent, pod: PodInfo) => boolean;
  /** For metrics. */
  readonly onQueued: (event: string, queue: QueueName) => void;
}

/** Back-offs that end within one second of each other count as ending together. */
const WINDOW_MS = 1000;

/**
 * Pods that wait for a node: ready to be tried, backing off after a failure, or unschedulable until an event may help. When
 * nothing is ready, pods that back off because nothing fitted are tried early; those that met an error wait their time. One
 * timer is set while something backs off or waits; none when the queue is empty.
 */
export class SchedulingQueue {
  readonly #options: SchedulingQueueOptions;
  readonly #deps: SchedulingQueueDeps;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active: Heap<QueuedPod>;
  /** By the second in which the back-off ends; within one second as in the active queue. */
  readonly #backingOff: Heap<QueuedPod>;
  readonly #errorBackingOff = new Heap<QueuedPod>((a, b) => a.notBeforeMs < b.notBeforeMs);
  /** With the time at which each is tried again even without an event. */
  readonly #unschedulable = new Map<QueuedPod, number>();
  /** What has happened since a pod was last taken out. */
  #sinceTaken: ClusterEvent[] = [];
  #isTrying = false;
  #wake: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SchedulingQueueOptions, deps: SchedulingQueueDeps) {
    this.#options = options;
    this.#deps = deps;
    const goesFirst = (a: QueuedPod, b: QueuedPod): boolean => {
      const order = deps.compare(a.info, b.info);
      return order > 0 || (order === 0 && a.queuedAtMs < b.queuedAtMs);
    };
    this.#active = new Heap(goesFirst);
    this.#backingOff = new Heap((a, b) => {
      const [left, right] = [Math.floor(a.notBeforeMs / WINDOW_MS), Math.floor(b.notBeforeMs / WINDOW_MS)];
      return left < right || (left === right && goesFirst(a, b));
    });
  }

  get size(): number {
    return this.#pods.size;
  }

  /** How many pods are in which part, for metrics. */
  counts(): Readonly<Record<QueueName, number>> {
    let gated = 0;
    for (const pod of this.#unschedulable.keys()) if (pod.gated) gated++;
    return {
      active: this.#active.size,
      backoff: this.#backingOff.size + this.#errorBackingOff.size,
      unschedulable: this.#unschedulable.size - gated,
      gated,
    };
  }

  /** How many unschedulable pods each plugin has refused, by profile. */
  refused(): { plugin: string; profile: string; count: number }[] {
    const counts = new Map<string, { plugin: string; profile: string; count: number }>();
    for (const { info, rejectedBy } of this.#unschedulable.keys()) {
      const profile = info.pod.spec.schedulerName ?? '';
      for (const plugin of rejectedBy) {
        const known = counts.get(`${profile} ${plugin}`) ?? { plugin, profile, count: 0 };
        known.count++;
        counts.set(`${profile} ${plugin}`, known);
      }
    }
    return [...counts.values()];
  }

  /** A new pod, or a pod that changed: `event` says what a waiting one is woken by, if by anything. */
  add(info: PodInfo, event?: ClusterEvent): void {
    const known = this.#pods.get(info.uid);
    if (known === undefined) {
      const nowMs = this.#deps.clock.monotonic();
      const queued: QueuedPod = {
        info,
        attempts: 0,
        firstQueuedAtMs: nowMs,
        queuedAtMs: nowMs,
        notBeforeMs: 0,
        rejectedBy: new Set(),
        gated: false,
      };
      this.#pods.set(info.uid, queued);
      this.#requeue(queued, 'PodAdd');
      return;
    }
    const wasActive = this.#active.remove(known);
    known.info = info;
    if (wasActive) this.#active.push(known);
    else if (event !== undefined && this.#unschedulable.has(known)) this.#wakeFor(known, event);
  }

  remove(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#pods.delete(uid);
    this.#active.remove(queued);
    this.#backingOff.remove(queued);
    this.#errorBackingOff.remove(queued);
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
    const queued = this.#active.pop() ?? this.#backingOff.pop();
    if (queued !== undefined) {
      queued.attempts++;
      this.#sinceTaken = [];
      this.#isTrying = true;
      this.#pods.delete(queued.info.uid);
    }
    return queued;
  }

  /** Gives back the pod that was taken last, for no node takes it; `rejectedBy` names the plugins whose hints may wake it. */
  addUnschedulable(queued: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    this.#backOff(queued);
    queued.rejectedBy = rejectedBy;
    this.#pods.set(queued.info.uid, queued);
    this.#park(queued, 'ScheduleAttemptFailure');
    // What happened while it was being tried has not been seen by it.
    for (const event of this.#sinceTaken) if (this.#unschedulable.has(queued)) this.#wakeFor(queued, event);
  }

  /** Gives back a pod that failed for a reason of ours (a binding that was refused): tried again after its back-off. */
  addFailed(queued: QueuedPod): void {
    this.#backOff(queued);
    queued.rejectedBy = new Set();
    this.#pods.set(queued.info.uid, queued);
    this.#errorBackingOff.push(queued);
    this.#deps.onQueued('ScheduleAttemptFailure', 'backoff');
    this.#setTimer(queued.notBeforeMs);
  }

  /** The pod that was taken last has been decided on. */
  tried(): void {
    this.#isTrying = false;
    this.#sinceTaken = [];
  }

  /** Wakes the unschedulable pods that an event may help; `concerns` leaves out pods that it says nothing to. */
  moveFor(event: ClusterEvent, concerns: (pod: PodInfo) => boolean = () => true): void {
    if (this.#isTrying) this.#sinceTaken.push(event);
    for (const queued of [...this.#unschedulable.keys()]) if (concerns(queued.info)) this.#wakeFor(queued, event);
  }

  /** Lets one pod be tried that a plugin kept out. */
  ungate(uid: string): void {
    if (this.#pods.get(uid)?.gated === true) this.activate(uid);
  }

  /** Lets one pod be tried without an event. */
  activate(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued !== undefined && this.#unschedulable.delete(queued)) this.#requeue(queued, 'ForceActivate');
  }

  #wakeFor(queued: QueuedPod, event: ClusterEvent): void {
    for (const plugin of queued.rejectedBy) {
      if (!this.#deps.mayHelp(plugin, event, queued.info)) continue;
      this.#unschedulable.delete(queued);
      this.#requeue(queued, eventLabel(event));
      return;
    }
  }

  #backOff(queued: QueuedPod): void {
    const { initialBackoffMs, maxBackoffMs } = this.#options;
    const wait = Math.min(maxBackoffMs, initialBackoffMs * 2 ** (queued.attempts - 1));
    queued.notBeforeMs = this.#deps.clock.monotonic() + wait;
  }

  /** To be tried now or after its back-off, unless a plugin keeps it out. */
  #requeue(queued: QueuedPod, event: string): void {
    const gate = this.#deps.gatedBy(queued.info);
    queued.gated = gate !== undefined;
    if (gate !== undefined) {
      queued.rejectedBy = new Set([...queued.rejectedBy, gate]);
      this.#park(queued, event);
      return;
    }
    const isReady = queued.notBeforeMs <= this.#deps.clock.monotonic();
    this.#deps.onQueued(event, isReady ? 'active' : 'backoff');
    if (isReady) {
      this.#activate(queued);
      return;
    }
    this.#backingOff.push(queued);
    this.#setTimer(queued.notBeforeMs);
    this.#wake?.();
  }

  #park(queued: QueuedPod, event: string): void {
    this.#deps.onQueued(event, queued.gated ? 'gated' : 'unschedulable');
    const retryMs = this.#deps.clock.monotonic() + this.#options.maxUnschedulableMs;
    this.#unschedulable.set(queued, queued.gated ? Number.POSITIVE_INFINITY : retryMs);
    if (!queued.gated) this.#setTimer(retryMs);
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
    let nextMs = Number.POSITIVE_INFINITY;
    for (const heap of [this.#backingOff, this.#errorBackingOff]) {
      for (let first = heap.peek(); first !== undefined && first.notBeforeMs <= nowMs; first = heap.peek()) {
        heap.remove(first);
        this.#deps.onQueued('BackoffComplete', 'active');
        this.#activate(first);
      }
      nextMs = Math.min(nextMs, heap.peek()?.notBeforeMs ?? Number.POSITIVE_INFINITY);
    }
    for (const [queued, retryMs] of this.#unschedulable) {
      if (retryMs > nowMs) {
        nextMs = Math.min(nextMs, retryMs);
        continue;
      }
      this.#unschedulable.delete(queued);
      this.#requeue(queued, 'UnschedulableTimeout');
    }
    if (Number.isFinite(nextMs)) this.#setTimer(nextMs);
  }
}
