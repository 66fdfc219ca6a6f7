/**
 * Work that is asked for while it is being done is done once more. Rounds are numbered, so that one can wait for the
 * round that covers what was asked for up to now.
 */
export class Wakeup {
  #requested = 0;
  #done = 0;
  #wake: (() => void) | undefined;
  #closed = false;
  readonly #waiting: { round: number; resolve: () => void }[] = [];

  /** Asks for a round. */
  request(): void {
    this.#requested++;
    this.#wake?.();
  }

  /** Waits until there is something to do; false when `signal` has aborted. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.#requested === this.#done && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
      this.#wake = undefined;
    }
    return !signal.aborted;
  }

  /** The round that starts now; hand it to `end`. */
  begin(): number {
    return this.#requested;
  }

  end(round: number): void {
    this.#done = round;
    while (this.#waiting[0] !== undefined && this.#waiting[0].round <= round) this.#waiting.shift()?.resolve();
  }

  /** Resolves when all that has been asked for is done, or nothing will be done any more. */
  settled(): Promise<void> {
    if (this.#closed || this.#requested === this.#done) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ round: this.#requested, resolve }));
  }

  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}
