import type { Clock } from '../../base/clock.ts';

const INITIAL_MS = 1000;
const MAX_MS = 15 * 60_000;

interface Entry {
  readonly waitMs: number;
  readonly atMs: number;
}

/** How long a failed daemon stays before it is replaced: at first not at all, then 1 s, doubled each time, at most 15 min. */
export class FailedPodBackoff {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait; 0 means that the pod may be replaced now, and counts it. */
  leftMs(key: string): number {
    const nowMs = this.#clock.monotonic();
    const entry = this.#entries.get(key);
    const leftMs = entry === undefined ? 0 : entry.atMs + entry.waitMs - nowMs;
    if (leftMs > 0) return leftMs;
    for (const [other, { atMs }] of this.#entries) if (nowMs - atMs > 2 * MAX_MS) this.#entries.delete(other);
    const isOld = entry === undefined || nowMs - entry.atMs > 2 * MAX_MS;
    this.#entries.set(key, { waitMs: isOld ? INITIAL_MS : Math.min(MAX_MS, entry.waitMs * 2), atMs: nowMs });
    return 0;
  }
}
