const NANOS_PER_MS = 1e6;
/** Shorter spans say little; the rate before is given again. */
const MIN_SPAN_MS = 1_000;
const MAX_KEPT = 10_000;

interface Sample {
  readonly usedNanos: number;
  readonly atMs: number;
  readonly nanoCores: number;
}

/** Billionths of a core in use, between one question and the next: nothing is measured while nobody asks. */
export class CpuRates {
  readonly #samples = new Map<string, Sample>();

  /** `usedNanos`: used until now since `startedAtMs`; the first answer is the average since then. */
  nanoCores(key: string, usedNanos: number, atMs: number, startedAtMs: number): number {
    const known = this.#samples.get(key);
    const before = known === undefined || known.usedNanos > usedNanos ? { usedNanos: 0, atMs: startedAtMs } : known;
    const spanMs = atMs - before.atMs;
    if (known !== undefined && before === known && spanMs < MIN_SPAN_MS) {
      // The clock was set back: the next span counts from now.
      if (spanMs < 0) this.#samples.set(key, { usedNanos, atMs, nanoCores: known.nanoCores });
      return known.nanoCores;
    }
    const nanoCores = Math.round(((usedNanos - before.usedNanos) / (Math.max(1, spanMs) * NANOS_PER_MS)) * 1e9);
    if (this.#samples.size >= MAX_KEPT) this.#samples.clear();
    this.#samples.set(key, { usedNanos, atMs, nanoCores });
    return nanoCores;
  }
}
