import type { Revision } from '../contract.ts';

export interface RetentionOptions {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/** A stretch of history. */
export interface Segment {
  readonly from: Revision;
  readonly startedMs: number;
  /** Keys and values written in it. */
  bytes: number;
}

/** History is dropped in about so many steps per retention window. */
const STEPS = 32;

/**
 * How much history there is and when the oldest is to go. It knows segments, not single revisions: a segment is
 * dropped when its youngest revision is older than the window, or when the segments together are too large.
 */
export class Retention {
  readonly #options: RetentionOptions;
  #segments: Segment[];
  #lastWriteMs: number;

  /** `segments`: as read back from disk, oldest first. `nowMs` stands for the unknown time of the last write. */
  constructor(options: RetentionOptions, segments: readonly Segment[], nowMs: number) {
    this.#options = options;
    this.#segments = segments.map((segment) => ({ ...segment }));
    this.#lastWriteMs = nowMs;
  }

  /** To be asked before each batch: the segment that begins with it, and the size of the one that ends. */
  nextSegment(revision: Revision, nowMs: number): { segment: Segment; endedBytes: number } | undefined {
    const last = this.#segments.at(-1);
    const due =
      last === undefined ||
      nowMs - last.startedMs >= this.#options.retentionMs / STEPS ||
      last.bytes >= this.#options.retentionBytes / STEPS;
    if (!due) return undefined;
    return { segment: { from: revision, startedMs: nowMs, bytes: 0 }, endedBytes: last?.bytes ?? 0 };
  }

  committed(segment: Segment | undefined, bytes: number, nowMs: number): void {
    if (segment !== undefined) this.#segments.push(segment);
    const last = this.#segments.at(-1);
    if (last !== undefined) last.bytes += bytes;
    this.#lastWriteMs = nowMs;
  }

  /** The segments that begin before `revision` are shortened or forgotten. */
  compacted(revision: Revision, newest: Revision): void {
    const first = this.#segments.findLastIndex((segment) => segment.from <= revision);
    if (first > 0) this.#segments.splice(0, first);
    if (revision >= newest) this.#segments = [];
  }

  /** The revision to compact to, if anything is due. */
  target(newest: Revision, nowMs: number): Revision | undefined {
    const keepAfterMs = nowMs - this.#options.retentionMs;
    let total = 0;
    for (const segment of this.#segments) total += segment.bytes;
    let target: Revision | undefined;
    for (let i = 0; i < this.#segments.length; i++) {
      const next = this.#segments[i + 1];
      const tooOld = (next?.startedMs ?? this.#lastWriteMs) <= keepAfterMs;
      const tooMuch = total > this.#options.retentionBytes && next !== undefined;
      if (!tooOld && !tooMuch) break;
      target = next?.from ?? newest;
      total -= this.#segments[i]?.bytes ?? 0;
    }
    return target;
  }

  /** Where the oldest segment begins. */
  get firstRevision(): Revision | undefined {
    return this.#segments[0]?.from;
  }

  /** Whether the size alone makes a compaction due. */
  get tooLarge(): boolean {
    let total = 0;
    for (const segment of this.#segments) total += segment.bytes;
    return this.#segments.length > 1 && total > this.#options.retentionBytes;
  }

  /** When the oldest segment falls due by time; undefined: there is no history. */
  dueMs(): number | undefined {
    if (this.#segments.length === 0) return undefined;
    return (this.#segments[1]?.startedMs ?? this.#lastWriteMs) + this.#options.retentionMs;
  }
}
