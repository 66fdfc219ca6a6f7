import { abortable } from '../../base/abort.ts';

interface Pull<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/**
 * Does equal things once, and no more than `limit` different ones at a time (the others wait in order). What nobody waits for
 * any more is given up.
 */
export class PullQueue<T> {
  readonly #limit: number;
  readonly #pulls = new Map<string, Pull<T>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    let pull = this.#pulls.get(key);
    if (pull === undefined) {
      const controller = new AbortController();
      const result = this.#inTurn(work, controller.signal);
      // Everybody may have left before it ends.
      result.catch(() => {});
      pull = { result, controller, waiters: 0 };
      this.#pulls.set(key, pull);
      const forget = (): void => {
        if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
      };
      result.then(forget, forget);
    }
    pull.waiters++;
    try {
      return await abortable(pull.result, signal);
    } finally {
      pull.waiters--;
      if (pull.waiters === 0) {
        this.#pulls.delete(key);
        pull.controller.abort();
      }
    }
  }

  async #inTurn(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      signal.throwIfAborted();
      return await work(signal);
    } finally {
      const next = this.#queue.shift();
      // The place goes from one to the next.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
