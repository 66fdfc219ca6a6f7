/** Upstream's crash back-off: 10 s, doubling to 5 min, forgotten when a container lived twice the maximum. */
export const INITIAL_BACKOFF_MS = 10_000;
export const MAX_BACKOFF_MS = 300_000;

interface Entry {
  readonly backoffMs: number;
  readonly updatedMs: number;
}

/** How long the next start of a thing that failed must wait. The first retry is free. Times are monotonic. */
export class RestartBackoff {
  readonly #entries = new Map<string, Entry>();

  /** The time until which `key`, which failed at `failedAtMs`, must wait, with the wait's length; undefined: not at all. */
  waitFor(key: string, failedAtMs: number, nowMs: number): { untilMs: number; backoffMs: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(entry, failedAtMs)) return undefined;
    const untilMs = failedAtMs + entry.backoffMs;
    return untilMs > nowMs ? { untilMs, backoffMs: entry.backoffMs } : undefined;
  }

  /** `key`, which failed at `failedAtMs`, is tried again now. */
  tried(key: string, failedAtMs: number, nowMs: number): void {
    const entry = this.#entries.get(key);
    const again = entry !== undefined && !this.#expired(entry, failedAtMs);
    const backoffMs = again ? Math.min(entry.backoffMs * 2, MAX_BACKOFF_MS) : INITIAL_BACKOFF_MS;
    this.#entries.set(key, { backoffMs, updatedMs: nowMs });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #expired(entry: Entry, failedAtMs: number): boolean {
    return failedAtMs - entry.updatedMs > 2 * MAX_BACKOFF_MS;
  }
}
