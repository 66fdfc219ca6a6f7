import type { Clock } from '../../base/clock.ts';

/** Sleeps until it is woken or a time has come; what woke it meanwhile is not lost. */
export class Alarm {
  readonly #clock: Clock;
  #atMs: number | undefined;
  #isAwake = true;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a turn: what wakes from now on is about the next one. */
  begin(): void {
    this.#isAwake = false;
    this.#atMs = undefined;
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake();
  }

  /** At this monotonic time at the latest. */
  wakeBy(atMs: number): void {
    this.#atMs = Math.min(this.#atMs ?? atMs, atMs);
  }

  async sleep(signal: AbortSignal): Promise<void> {
    if (this.#isAwake || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel =
        this.#atMs === undefined
          ? () => {}
          : this.#clock.after(Math.max(0, this.#atMs - this.#clock.monotonic()), resolve);
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
}
