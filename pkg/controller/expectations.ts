import type { Clock } from '../base/clock.ts';

/** Expectations that were not met in this time are given up (a watch event was missed). */
const EXPIRY_MS = 300_000;

interface Entry {
  creations: number;
  /** The keys of the objects whose deletion is awaited. */
  readonly deletions: Set<string>;
  readonly atMs: number;
}

/**
 * What a controller has done and not yet seen in its informers, per request: until it has, its view is stale and it must
 * not create or delete again. Corresponds to upstream's UIDTrackingControllerExpectations.
 */
export class Expectations {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expectCreations(key: string, count: number): void {
    this.expect(key, count, []);
  }

  expectDeletions(key: string, objects: readonly string[]): void {
    this.expect(key, 0, objects);
  }

  /** For controllers that create and delete in one go. */
  expect(key: string, creations: number, deletions: readonly string[]): void {
    this.#entries.set(key, { creations, deletions: new Set(deletions), atMs: this.#clock.monotonic() });
  }

  /** A creation was seen, or failed. */
  creationObserved(key: string, count = 1): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.creations -= count;
  }

  /** A deletion was seen, or failed. */
  deletionObserved(key: string, object: string): void {
    this.#entries.get(key)?.deletions.delete(object);
  }

  satisfied(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return true;
    if (entry.creations <= 0 && entry.deletions.size === 0) return true;
    return this.#clock.monotonic() - entry.atMs > EXPIRY_MS;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
