import type { Clock } from '../../base/clock.ts';

/** Things that failed and are not tried again before a (monotonic) time. */
export class RetryTimes {
  readonly #clock: Clock;
  readonly #wakeBy: (atMs: number) => void;
  readonly #times = new Map<string, number>();

  /** `wakeBy` is called with each time that is waited for. */
  constructor(clock: Clock, wakeBy: (atMs: number) => void) {
    this.#clock = clock;
    this.#wakeBy = wakeBy;
  }

  /** Whether the last failure of `name` is too fresh for the next try. */
  waits(name: string): boolean {
    const retryAtMs = this.#times.get(name);
    if (retryAtMs === undefined) return false;
    if (retryAtMs > this.#clock.monotonic()) {
      this.#wakeBy(retryAtMs);
      return true;
    }
    this.#times.delete(name);
    return false;
  }

  failed(name: string, retryAtMs: number): void {
    this.#times.set(name, retryAtMs);
    this.#wakeBy(retryAtMs);
  }

  /** What the failures may have been about changed: everything may be tried at once. */
  clear(): void {
    this.#times.clear();
  }
}
