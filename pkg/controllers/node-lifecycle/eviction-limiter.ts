/** A token bucket of one: how often nodes of a zone may have their pods driven away. */
export class EvictionLimiter {
  #perSecond: number;
  #tokens = 1;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#atMs = nowMs;
  }

  /** Whether that is another rate. Who has to wait now waits a whole turn of the new rate, as upstream has it. */
  setRate(perSecond: number, nowMs: number): boolean {
    if (perSecond === this.#perSecond) return false;
    this.#refill(nowMs);
    if (this.#tokens < 1 || this.#perSecond === 0) this.#tokens = 0;
    this.#perSecond = perSecond;
    return true;
  }

  /** Takes the turn: 0, or how many milliseconds there are to wait for one; undefined: at this rate there is none. */
  take(nowMs: number): number | undefined {
    if (this.#perSecond === 0) return undefined;
    this.#refill(nowMs);
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
    this.#tokens--;
    return 0;
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(1, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
  }
}
