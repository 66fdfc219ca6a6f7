import type { Clock } from '../base/clock.ts';
import type { Request, WorkQueue } from './controller.ts';
import { RequestHeap } from './request-heap.ts';

export interface WorkQueueDeps {
  readonly clock: Clock;
  /** Is told when a request comes into the queue and how long it waited for a worker. */
  readonly observer?: { added(): void; waited(ms: number): void };
}

/** The wait after the first failure of a request, doubled each time, at most `maxMs` (client-go's defaults). */
export interface RateLimit {
  readonly initialMs: number;
  readonly maxMs: number;
}

const DEFAULT_RATE_LIMIT: RateLimit = { initialMs: 5, maxMs: 1_000_000 };

/** The queue of a controller; one timer serves all delayed requests. */
export class RequestQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  readonly #ready = new Map<string, { readonly request: Request; readonly sinceMs: number }>();
  readonly #observer: WorkQueueDeps['observer'];
  /** With the time since which they are worked on. */
  readonly #active = new Map<string, number>();
  /** Added again while being worked on. */
  readonly #again = new Map<string, Request>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new RequestHeap();
  readonly #waiters: (() => void)[] = [];
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(deps: WorkQueueDeps, limit: RateLimit = DEFAULT_RATE_LIMIT) {
    this.#clock = deps.clock;
    this.#observer = deps.observer;
    this.#limit = limit;
  }

  /** Requests that wait for a worker. */
  get size(): number {
    return this.#ready.size + this.#again.size;
  }

  /** How long each request that is being worked on has been so. */
  *underWayMs(): Generator<number> {
    const nowMs = this.#clock.monotonic();
    for (const sinceMs of this.#active.values()) yield nowMs - sinceMs;
  }

  add(request: Request): void {
    const key = keyOf(request);
    if (this.#active.has(key)) {
      this.#again.set(key, request);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#ready.set(key, { request, sinceMs: this.#clock.monotonic() });
    this.#observer?.added();
    this.#waiters.shift()?.();
  }

  addAfter(request: Request, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(request);
      return;
    }
    this.#delayed.push(keyOf(request), request, this.#clock.monotonic() + delayMs);
    this.#arm();
  }

  addRateLimited(request: Request): void {
    const key = keyOf(request);
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(request, Math.min(this.#limit.maxMs, this.#limit.initialMs * 2 ** failures));
  }

  forget(request: Request): void {
    this.#failures.delete(keyOf(request));
  }

  /** How often the request has failed since it was last forgotten. */
  failures(request: Request): number {
    return this.#failures.get(keyOf(request)) ?? 0;
  }

  async next(signal: AbortSignal): Promise<Request | undefined> {
    while (!signal.aborted) {
      for (const [key, { request, sinceMs }] of this.#ready) {
        const nowMs = this.#clock.monotonic();
        this.#observer?.waited(nowMs - sinceMs);
        this.#ready.delete(key);
        this.#active.set(key, nowMs);
        return request;
      }
      await this.#wait(signal);
    }
    return undefined;
  }

  done(request: Request): void {
    const key = keyOf(request);
    this.#active.delete(key);
    const again = this.#again.get(key);
    if (again === undefined) return;
    this.#again.delete(key);
    this.add(again);
  }

  /** Drops the timer and what it was set for. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const at = this.#waiters.indexOf(wake);
        if (at >= 0) this.#waiters.splice(at, 1);
        resolve();
      };
      this.#waiters.push(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #arm(): void {
    const atMs = this.#delayed.earliestMs;
    if (atMs === undefined || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(atMs - this.#clock.monotonic(), () => {
      this.#timer = undefined;
      const nowMs = this.#clock.monotonic();
      for (let due = this.#delayed.popDue(nowMs); due !== undefined; due = this.#delayed.popDue(nowMs)) this.add(due);
      this.#arm();
    });
    this.#timer = { atMs, cancel };
  }
}

function keyOf(request: Request): string {
  return request.namespace === '' ? request.name : `${request.namespace}/${request.name}`;
}
