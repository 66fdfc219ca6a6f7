import type { WriteRequest } from './plan.ts';

/** Bounds of one batch, for latency and memory. */
const MAX_BATCH_WRITES = 1024;
const MAX_BATCH_BYTES = 4 << 20;

/**
 * Group commit: one batch is under way; what arrives meanwhile forms the next one. Writes that are asked for in the
 * same turn of the event loop share a batch from the start.
 */
export class WritePump {
  readonly #commit: (requests: readonly WriteRequest[]) => Promise<void>;
  #queue: WriteRequest[] = [];
  #running: Promise<void> | undefined;

  /** `commit` settles each request; when it rejects, those left are rejected with its error. */
  constructor(commit: (requests: readonly WriteRequest[]) => Promise<void>) {
    this.#commit = commit;
  }

  push(request: WriteRequest): void {
    this.#queue.push(request);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is queued or under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const requests = this.#take();
      try {
        await this.#commit(requests);
      } catch (error) {
        for (const request of requests) request.reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): readonly WriteRequest[] {
    let end = 0;
    let bytes = 0;
    while (end < this.#queue.length && end < MAX_BATCH_WRITES) {
      bytes += this.#queue[end]?.value.length ?? 0;
      if (end > 0 && bytes > MAX_BATCH_BYTES) break;
      end++;
    }
    if (end < this.#queue.length) return this.#queue.splice(0, end);
    const all = this.#queue;
    this.#queue = [];
    return all;
  }
}
