/** Time as a dependency: wall clock in milliseconds since the epoch, and waiting that can be cut short. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  monotonic(): number;
  /** Resolves after `ms`, or early when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms`; the returned function cancels. The timer does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

/**
 * The monotonic time of a moment that has passed by the wall clock: what is measured from it goes on evenly when the wall clock is
 * set. A moment that is still to come, because the clock was set back, counts as now.
 */
export function monotonicSince(clock: Pick<Clock, 'now' | 'monotonic'>, wallMs: number): number {
  return clock.monotonic() - Math.max(0, clock.now() - wallMs);
}

/** setTimeout fires at once for longer delays than this. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));
      signal?.addEventListener('abort', done, { once: true });
    });
  },
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock for tests: time moves only by `advance`. */
export class FakeClock implements Clock {
  #now: number;
  #wallOffsetMs = 0;
  #nextID = 0;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#wallOffsetMs;
  }

  /** Somebody sets the wall clock, forwards or back. */
  setWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  monotonic(): number {
    return this.#now;
  }

  /** The machine stands still: when it goes on, time has passed, and what was due is late. */
  freeze(ms: number): void {
    this.#now += ms;
  }

  /** Number of timers and sleeps under way. */
  get pending(): number {
    return this.#timers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const id = this.#nextID++;
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), callback });
    return () => this.#timers.delete(id);
  }

  /** Moves time forward, firing what falls due in order; lets promise reactions run between timers. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      let next: [number, { at: number; callback: () => void }] | undefined;
      for (const entry of this.#timers) {
        if (entry[1].at <= end && (next === undefined || entry[1].at < next[1].at)) next = entry;
      }
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].callback();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets pending promise reactions run. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
