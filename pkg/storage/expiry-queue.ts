import type { Clock } from '../base/clock.ts';

interface Deadline {
  readonly atMs: number;
  readonly key: string;
}

/** Keys with their time of expiry, and one timer for the next of them; none while no key expires. */
export class ExpiryQueue {
  readonly #clock: Clock;
  readonly #onDue: (keys: readonly string[]) => void;
  readonly #atMs = new Map<string, number>();
  /** A binary heap; entries that no longer agree with `#atMs` are skipped. */
  #heap: Deadline[] = [];
  #armedForMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** `onDue` gets each key once; the key is then forgotten. */
  constructor(clock: Clock, onDue: (keys: readonly string[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Wall-clock milliseconds at which the key expires. */
  get(key: string): number | undefined {
    return this.#atMs.get(key);
  }

  /** Sets the key's expiry; undefined: it does not expire. */
  set(key: string, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.#atMs.delete(key);
      return;
    }
    if (this.#atMs.get(key) === atMs) return;
    this.#atMs.set(key, atMs);
    if (this.#heap.length > 2 * this.#atMs.size + 64) this.#rebuild();
    else this.#push({ atMs, key });
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.#heap = [];
    this.#atMs.clear();
  }

  #arm(): void {
    const next = this.#heap[0]?.atMs;
    if (next === undefined || next >= this.#armedForMs) return;
    this.#cancel?.();
    this.#armedForMs = next;
    this.#cancel = this.#clock.after(next - this.#clock.now(), () => this.#fire());
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const due: string[] = [];
    for (let head = this.#heap[0]; head !== undefined; head = this.#heap[0]) {
      const stale = this.#atMs.get(head.key) !== head.atMs;
      if (!stale && head.atMs > now) break;
      this.#pop();
      if (stale) continue;
      this.#atMs.delete(head.key);
      due.push(head.key);
    }
    this.#arm();
    if (due.length > 0) this.#onDue(due);
  }

  #rebuild(): void {
    this.#heap = [...this.#atMs].map(([key, atMs]) => ({ atMs, key })).sort((a, b) => a.atMs - b.atMs);
  }

  #push(item: Deadline): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const other = heap[parent] as Deadline;
      if (other.atMs <= item.atMs) break;
      heap[at] = other;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (item === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.atMs < (heap[child] as Deadline).atMs) child++;
      const smaller = heap[child] as Deadline;
      if (smaller.atMs >= item.atMs) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = item;
  }
}
