import type { Clock } from '../../base/clock.ts';

/** What the server is busy with, so that it can end in good order: requests end by themselves, watches are ended. */
export class Underway {
  readonly #watches = new Set<{ end(): void }>();
  #requests = 0;
  #isStopping = false;
  #idle: () => void = () => {};

  /** True from the moment on from which connections are to be closed after their answer. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  begin(): void {
    this.#requests++;
  }

  finish(): void {
    this.#requests--;
    if (this.#requests === 0) this.#idle();
  }

  /** Registers a watch; returns the removal. One that comes late ends at once. */
  watching(watch: { end(): void }): () => void {
    this.#watches.add(watch);
    if (this.#isStopping) watch.end();
    return () => this.#watches.delete(watch);
  }

  /** Ends all watches, and resolves when every request is answered or `graceMs` have passed. */
  async drain(graceMs: number, clock: Clock): Promise<void> {
    this.#isStopping = true;
    for (const watch of this.#watches) watch.end();
    if (this.#requests === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(graceMs, resolve);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }
}
