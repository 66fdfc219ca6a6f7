/** Lets `burst` calls through at once, and `perSecond` in the long run. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  /** In milliseconds. */
  readonly #monotonic: () => number;
  #tokens: number;
  #filledMs: number;

  constructor(perSecond: number, burst: number, monotonic: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#monotonic = monotonic;
    this.#tokens = burst;
    this.#filledMs = monotonic();
  }

  /** Whether one more may go now. */
  take(): boolean {
    const nowMs = this.#monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#filledMs) * this.#perSecond) / 1000);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
