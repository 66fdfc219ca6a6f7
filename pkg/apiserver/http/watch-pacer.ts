import type { Clock } from '../../base/clock.ts';

/** How long a watcher that was written to a moment ago gathers what comes next. */
export const GATHER_MS = 5;
/** Writes of one turn of the event loop. */
const WRITES_PER_TURN = 250;

/** One watch stream, as the pacer sees it. */
export interface PacedStream {
  /** Writes what has gathered. */
  flush(): void;
}

/**
 * Lets watch streams gather in a burst: an event after a quiet moment goes out at once, those that follow closely share one
 * write per stream. A write (a system call, a TLS record) costs more than all the events that fit into it.
 */
export class WatchPacer {
  readonly #clock: Clock;
  #waiting: PacedStream[] = [];
  #joined: { readonly parts: readonly Buffer[]; readonly bytes: Buffer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.monotonic();
  }

  /** Calls `flush` within GATHER_MS. */
  wait(stream: PacedStream): void {
    this.#waiting.push(stream);
    if (this.#waiting.length === 1) this.#clock.after(GATHER_MS, () => this.#flush());
  }

  /** One buffer of all parts. Streams that are told the same share it. */
  join(parts: readonly Buffer[], length: number): Buffer {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    if (this.#joined !== undefined && sameParts(this.#joined.parts, parts)) return this.#joined.bytes;
    const bytes = Buffer.concat(parts, length);
    this.#joined = { parts, bytes };
    return bytes;
  }

  #flush(from = 0): void {
    const streams = this.#waiting;
    const end = Math.min(streams.length, from + WRITES_PER_TURN);
    for (let i = from; i < end; i++) streams[i]?.flush();
    this.#joined = undefined;
    if (end < streams.length) setImmediate(() => this.#flush(end));
    else this.#waiting = [];
  }
}

function sameParts(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
