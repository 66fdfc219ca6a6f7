import type { Clock } from '../../base/clock.ts';

/** The answer of a request, which may leave its connection open. */
export interface KeptAlive {
  shouldKeepAlive: boolean;
}

/** What the server is busy with, so that it can end in good order: requests end by themselves, watches are ended. */
export class Underway {
  readonly #watches = new Set<{ end(): void }>();
  readonly #answers = new Set<KeptAlive>();
  #isStopping = false;
  #idle: () => void = () => {};

  begin(answer: KeptAlive): void {
    this.#answers.add(answer);
    if (this.#isStopping) answer.shouldKeepAlive = false;
  }

  finish(answer: KeptAlive): void {
    this.#answers.delete(answer);
    if (this.#answers.size === 0) this.#idle();
  }

  /** Registers a watch; returns the removal. One that comes late ends at once. */
  watching(watch: { end(): void }): () => void {
    this.#watches.add(watch);
    if (this.#isStopping) watch.end();
    return () => this.#watches.delete(watch);
  }

  /**
   * Ends all watches, has connections closed with their answers, and resolves when every request is answered or `graceMs` have
   * passed.
   */
  async drain(graceMs: number, clock: Clock): Promise<void> {
    this.#isStopping = true;
    for (const watch of this.#watches) watch.end();
    for (const answer of this.#answers) answer.shouldKeepAlive = false;
    if (this.#answers.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(graceMs, resolve);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }
}
