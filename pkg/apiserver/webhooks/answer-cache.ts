import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.ts';

export interface AnswerCacheDeps<T> {
  readonly clock: Clock;
  /** How long an answer holds, in milliseconds; 0: it is not kept. */
  ttlMs(answer: T): number;
}

const MAX_ANSWERS = 8192;

/** Answers of a webhook for as long as they hold; the same question is not asked twice at a time. Failures are not kept. */
export class AnswerCache<T> {
  readonly #deps: AnswerCacheDeps<T>;
  readonly #answers = new LRUCache<string, { readonly answer: T; readonly untilMs: number }>({ max: MAX_ANSWERS });
  readonly #asking = new Map<string, Promise<T>>();

  constructor(deps: AnswerCacheDeps<T>) {
    this.#deps = deps;
  }

  get(key: string, ask: () => Promise<T>): T | Promise<T> {
    const held = this.#answers.get(key);
    if (held !== undefined && this.#deps.clock.monotonic() < held.untilMs) return held.answer;
    const asked = this.#asking.get(key);
    if (asked !== undefined) return asked;
    const asking = this.#ask(key, ask).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(key: string, ask: () => Promise<T>): Promise<T> {
    const answer = await ask();
    const ttlMs = this.#deps.ttlMs(answer);
    if (ttlMs > 0) this.#answers.set(key, { answer, untilMs: this.#deps.clock.monotonic() + ttlMs });
    return answer;
  }
}
