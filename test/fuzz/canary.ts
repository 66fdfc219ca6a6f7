import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Credentials } from './target.ts';

export interface Stall {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly tookMs: number;
  /** Without the time that other processes took from the server. */
  readonly stallMs: number;
}

/** How responsive the server stays while it is fuzzed: measured from a thread of its own. */
export class Canary {
  readonly #worker: Worker;
  readonly #stallMs: number;
  #onStall: (stall: Stall) => void;
  longest: Stall = { startedAt: 0, tookMs: 0, stallMs: 0 };
  readonly stalls: Stall[] = [];
  readonly failures: string[] = [];
  asked = 0;

  constructor(credentials: Credentials, pid: number, stallMs: number, onStall: (stall: Stall) => void) {
    this.#stallMs = stallMs;
    this.#onStall = onStall;
    this.#worker = new Worker(join(import.meta.dirname, 'canary-worker.ts'), { workerData: { credentials, pid } });
    this.#worker.on('message', (sample: Stall & { status: number; error?: string }) => this.#take(sample));
  }

  close(): Promise<number> {
    return this.#worker.terminate();
  }

  #take(sample: Stall & { status: number; error?: string }): void {
    this.asked++;
    if (sample.status !== 200) this.failures.push(sample.error ?? `status ${sample.status}`);
    if (sample.stallMs > this.longest.stallMs) this.longest = sample;
    if (sample.stallMs <= this.#stallMs) return;
    this.stalls.push(sample);
    this.#onStall(sample);
  }
}
