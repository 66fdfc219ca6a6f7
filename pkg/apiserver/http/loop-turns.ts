import type { Clock } from '../../base/clock.ts';

/** What long answers may take of one turn of the event loop, all together. */
const BUDGET_MS = 5;

/**
 * Shares the event loop between long answers and everything else: however many long lists are being written, they go on one
 * after the other and leave the loop after a few milliseconds, so that a short request waits for one such span only. What has
 * begun ends before more begins: less is held in memory, and nobody is done later for it.
 */
export class LoopTurns {
  readonly #clock: Clock;
  readonly #begun: (() => void)[] = [];
  readonly #new: (() => void)[] = [];
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves in a later turn of the loop, when those under way are waiting for their clients. */
  begin(): Promise<void> {
    return this.#wait(this.#new);
  }

  /** Resolves in a later turn of the loop, for the next part of what has begun. */
  next(): Promise<void> {
    return this.#wait(this.#begun);
  }

  #wait(queue: (() => void)[]): Promise<void> {
    return new Promise((resolve) => {
      queue.push(resolve);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#run(this.#clock.monotonic()));
    });
  }

  #run(begunMs: number): void {
    (this.#begun.shift() ?? this.#new.shift())?.();
    // What was resolved does its work in microtasks; the tick comes when all of them are done.
    queueMicrotask(() => process.nextTick(() => this.#goOn(begunMs)));
  }

  #goOn(begunMs: number): void {
    if (this.#begun.length + this.#new.length === 0) this.#scheduled = false;
    else if (this.#clock.monotonic() - begunMs < BUDGET_MS) this.#run(begunMs);
    else setImmediate(() => this.#run(this.#clock.monotonic()));
  }
}
