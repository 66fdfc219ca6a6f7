import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { isStoreError, type Revision } from '../contract.ts';
import type { Disk, Operation } from './disk.ts';
import { scanEvents } from './history.ts';
import { COMPACTION_KEY, encodeNumbers, eventKey, SEGMENTS, segmentKey, valueKey } from './layout.ts';
import type { Retention } from './retention.ts';

export interface CompactorState {
  readonly compactRevision: Revision;
  /** Records older than this are gone from the disk. */
  readonly sweptRevision: Revision;
}

export interface CompactorDeps {
  readonly disk: Disk;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The newest committed revision. */
  readonly newest: () => Revision;
}

const RETRY_MS = 60_000;
/** LevelDB is asked to give the space back at once when so many revisions went in one sweep. */
const RECLAIM_RECORDS = 20_000;

/**
 * Forgets history: on request, and by itself when it is too old or too large. First the new bound is made durable, then
 * the records below it are swept away in small steps; a sweep that was interrupted is finished after the next opening.
 */
export class Compactor {
  readonly #deps: CompactorDeps;
  #compactRevision: Revision;
  #sweptRevision: Revision;
  #tail: Promise<void> = Promise.resolve();
  #background = false;
  #stopping = false;
  #cancel: (() => void) | undefined;

  constructor(state: CompactorState, deps: CompactorDeps) {
    this.#compactRevision = state.compactRevision;
    this.#sweptRevision = state.sweptRevision;
    this.#deps = deps;
  }

  get compactRevision(): Revision {
    return this.#compactRevision;
  }

  /** To be called once after opening. */
  start(): void {
    if (this.#sweptRevision < this.#compactRevision) this.#runInBackground(this.#compactRevision);
    else this.#arm();
  }

  compact(revision: Revision): Promise<void> {
    const done = this.#tail.then(() => this.#compact(revision));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** To be called after a commit that began a segment. */
  segmentBegan(): void {
    if (this.#background || this.#stopping) return;
    if (this.#deps.retention.tooLarge) this.#collect();
    else this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#tail;
  }

  #arm(delayMs?: number): void {
    if (this.#stopping || this.#cancel !== undefined) return;
    const dueMs = this.#deps.retention.dueMs();
    if (dueMs === undefined) return;
    this.#cancel = this.#deps.clock.after(delayMs ?? dueMs - this.#deps.clock.now(), () => {
      this.#cancel = undefined;
      this.#collect();
    });
  }

  #collect(): void {
    const target = this.#deps.retention.target(this.#deps.newest(), this.#deps.clock.now());
    if (target === undefined) this.#arm();
    else this.#runInBackground(target);
  }

  #runInBackground(revision: Revision): void {
    this.#background = true;
    void this.compact(revision).then(
      () => {
        this.#background = false;
        this.#arm();
      },
      (error: unknown) => {
        this.#background = false;
        if (this.#stopping || isStoreError(error, 'CLOSED')) return;
        this.#deps.logger.warn({ err: error, revision }, 'compaction failed; it is tried again');
        this.#arm(RETRY_MS);
      },
    );
  }

  async #compact(revision: Revision): Promise<void> {
    if (this.#stopping) return;
    const { disk, retention, newest } = this.#deps;
    if (revision > this.#compactRevision) {
      await disk.tidy([this.#record(revision, this.#sweptRevision)], true);
      this.#compactRevision = revision;
      retention.compacted(revision, newest());
    }
    const from = this.#sweptRevision;
    while (this.#sweptRevision < this.#compactRevision && !this.#stopping) await this.#sweep();
    if (this.#sweptRevision - from >= RECLAIM_RECORDS && !this.#stopping) await this.#reclaim();
  }

  /**
   * Takes away the oldest events below the bound, and with each the value that it replaced or deleted. (The value it
   * wrote goes with the event that replaces it.)
   */
  async #sweep(): Promise<void> {
    const { disk, retention } = this.#deps;
    const last = this.#compactRevision - 1;
    const { records, reached } = await disk.read((db) => scanEvents(db, this.#sweptRevision, last));
    const operations: Operation[] = [];
    for (const { revision, record } of records) {
      operations.push({ type: 'del', key: eventKey(revision) });
      if (record.previousRevision > 0) operations.push({ type: 'del', key: valueKey(record.previousRevision) });
    }
    const swept = reached + 1;
    if (swept > last) {
      const first = retention.firstRevision ?? swept;
      const segments = await disk.read((db) => db.keys({ gte: SEGMENTS.gte, lt: segmentKey(first) }).all());
      for (const key of segments) operations.push({ type: 'del', key });
    }
    operations.push(this.#record(this.#compactRevision, swept));
    await disk.tidy(operations, false);
    this.#sweptRevision = swept;
  }

  async #reclaim(): Promise<void> {
    const end = this.#sweptRevision;
    await this.#deps.disk.read(async (db) => {
      await db.compactRange(eventKey(0), eventKey(end));
      await db.compactRange(valueKey(0), valueKey(end));
    });
  }

  #record(compactRevision: Revision, sweptRevision: Revision): Operation {
    return { type: 'put', key: COMPACTION_KEY, value: encodeNumbers(compactRevision, sweptRevision) };
  }
}
