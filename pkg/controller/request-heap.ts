import type { Request } from './controller.ts';

interface Entry {
  readonly key: string;
  readonly request: Request;
  readonly atMs: number;
}

/** Requests by due time; of two entries for one key the earlier counts. A binary heap with lazy removal. */
export class RequestHeap {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();

  get earliestMs(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.atMs;
  }

  push(key: string, request: Request, atMs: number): void {
    const current = this.#current.get(key);
    if (current !== undefined && current.atMs <= atMs) return;
    const entry: Entry = { key, request, atMs };
    this.#current.set(key, entry);
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest request that is due at `nowMs`, taken out. */
  popDue(nowMs: number): Request | undefined {
    this.#dropStale();
    const top = this.#heap[0];
    // Timers may fire a fraction of a millisecond early.
    if (top === undefined || top.atMs > nowMs + 1) return undefined;
    this.#pop();
    this.#current.delete(top.key);
    return top.request;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#current.clear();
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#current.get(top.key) === top) return;
      this.#pop();
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let lesser = left;
      if (right !== undefined && right.atMs < left.atMs) {
        lesser = right;
        child++;
      }
      if (lesser.atMs >= last.atMs) break;
      heap[at] = lesser;
      at = child;
    }
    heap[at] = last;
  }
}
