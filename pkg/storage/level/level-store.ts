import { type Clock, systemClock } from '../../base/clock.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import {
  isStoreError,
  type KeyValue,
  type ListOptions,
  type ListResult,
  type Revision,
  type Store,
  StoreError,
  type StoreEvent,
  type StoreEventBatch,
  type WatchOptions,
  type WriteOptions,
} from '../contract.ts';
import { ExpiryQueue } from '../expiry-queue.ts';
import { type IndexEntry, KeyIndex } from '../key-index.ts';
import { compacted, type HistoryRequest, WatchHub } from '../watch-hub.ts';
import { Compactor } from './compactor.ts';
import { type Contents, readContents } from './contents.ts';
import { type Database, Disk, type DiskDeps, fileSystemSpace, type LevelClass } from './disk.ts';
import { missingValue, readHistory, readValues, scanEvents, stateBefore } from './history.ts';
import { encodeNumbers, segmentKey } from './layout.ts';
import { type PlannedWrite, planOperations, planWrites, undoOperations, type WriteRequest } from './plan.ts';
import { Retention, type Segment } from './retention.ts';
import { selectEntries } from './select.ts';
import { WritePump } from './write-pump.ts';

export interface LevelStoreOptions {
  /** The directory; created when missing. Used by one process at a time. */
  readonly path: string;
  /** History younger than this is kept (default: 24 hours), ... */
  readonly retentionMs?: number;
  /** ... unless keys and values written in it take up more than this (default: 256 MiB). */
  readonly retentionBytes?: number;
  /** LevelDB's cache of blocks read (default: 4 MiB). */
  readonly cacheBytes?: number;
  /** LevelDB's buffer of recent writes (default: 8 MiB); up to two are in memory. */
  readonly writeBufferBytes?: number;
  /** New data is refused with NO_SPACE while less is free (default: 16 MiB, at most 1/16 of the file system). */
  readonly minFreeBytes?: number;
}

export interface LevelStoreDeps {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Default: that of the package `level`, loaded when the first store opens. */
  readonly loadLevel?: () => Promise<LevelClass>;
  readonly space?: DiskDeps['space'];
}

const HOUR_MS = 3_600_000;
const MIB = 1 << 20;
/** A hundred years. */
const MAX_TTL_MS = 100 * 366 * 24 * HOUR_MS;
const NO_VALUE = new Uint8Array(0);
/** When an expired key could not be deleted (a full disk). */
const EXPIRY_RETRY_MS = 30_000;

/**
 * The durable store: LevelDB with group commit. An index of the live keys (without values) is in memory; values and
 * history are on disk. Reads see durable writes only.
 */
export class LevelStore implements Store {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #index: KeyIndex;
  readonly #retention: Retention;
  readonly #compactor: Compactor;
  readonly #expiry: ExpiryQueue;
  readonly #hub: WatchHub;
  readonly #pump: WritePump;
  #revision: Revision;
  #closing: Promise<void> | undefined;

  private constructor(
    options: LevelStoreOptions,
    deps: Required<Pick<LevelStoreDeps, 'clock' | 'logger'>>,
    opened: Opened,
  ) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#disk = opened.disk;
    this.#index = opened.index;
    this.#revision = opened.contents.revision;
    const { retentionMs = 24 * HOUR_MS, retentionBytes = 256 * MIB } = options;
    this.#retention = new Retention({ retentionMs, retentionBytes }, opened.contents.segments, deps.clock.now());
    this.#retention.compacted(opened.contents.compaction.compactRevision, this.#revision);
    this.#compactor = new Compactor(opened.contents.compaction, {
      disk: this.#disk,
      retention: this.#retention,
      clock: deps.clock,
      logger: deps.logger,
      newest: () => this.#revision,
    });
    this.#expiry = new ExpiryQueue(deps.clock, (keys) => this.#expire(keys));
    this.#hub = new WatchHub({
      revision: () => this.#revision,
      compactRevision: () => this.#compactor.compactRevision,
      history: (request) => this.#history(request),
    });
    this.#pump = new WritePump((requests) => this.#commit(requests));
  }

  /** Rejects with LOCKED, CORRUPT, NO_SPACE or IO. Needs no repair after a crash. */
  static async open(options: LevelStoreOptions, deps: LevelStoreDeps = {}): Promise<LevelStore> {
    const { clock = systemClock, space = fileSystemSpace, loadLevel = loadDefaultLevel } = deps;
    const logger = deps.logger ?? silentLogger;
    const { path, cacheBytes = 4 * MIB, writeBufferBytes = 8 * MIB, minFreeBytes = 16 * MIB } = options;
    const diskOptions = { path, cacheBytes, writeBufferBytes, minFreeBytes };
    const disk = await Disk.open(diskOptions, { logger, space, Level: await loadLevel() });
    try {
      const index = new KeyIndex();
      const expiries: [string, number][] = [];
      const contents = await disk.read((db) =>
        readContents(db, (entry, expiresAtMs) => {
          index.set(entry);
          if (expiresAtMs !== undefined) expiries.push([entry.key, expiresAtMs]);
        }),
      );
      const store = new LevelStore(options, { clock, logger }, { disk, index, contents });
      for (const [key, expiresAtMs] of expiries) store.#expiry.set(key, expiresAtMs);
      store.#compactor.start();
      return store;
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  revision(): Revision {
    return this.#revision;
  }

  compactRevision(): Revision {
    return this.#compactor.compactRevision;
  }

  async get(key: string, revision?: Revision): Promise<KeyValue | undefined> {
    this.#checkReadable(revision);
    for (;;) {
      const entry = this.#index.get(key);
      const current = revision === undefined || (entry !== undefined && entry.modRevision <= revision);
      if (current && entry === undefined) return undefined;
      const item = await this.#disk.read(async (db) => {
        const wanted = current ? entry : await this.#entryAt(db, key, revision);
        if (wanted === undefined) return { found: undefined };
        const [found] = await readValues(db, [wanted]);
        return found === undefined ? { lost: wanted } : { found };
      });
      if (item.lost === undefined) return item.found;
      // The value may have been replaced and compacted away in between.
      this.#checkReadable(revision);
      if (this.#index.get(key) === entry) throw missingValue(item.lost);
    }
  }

  async list(options: ListOptions): Promise<ListResult> {
    this.#checkReadable(options.revision);
    const { prefix, startKey = prefix, limit = Number.POSITIVE_INFINITY } = options;
    return this.#disk.read(async (db) => {
      let revision = options.revision ?? this.#revision;
      const changed = new Map<string, IndexEntry | undefined>();
      if (revision < this.#revision) {
        await this.#scanAfter(db, revision, (key, before) => {
          if (key.startsWith(prefix) && key >= startKey && !changed.has(key)) changed.set(key, before);
          return true;
        });
        this.#checkReadable(revision);
      } else revision = this.#revision;
      const entries = selectEntries(this.#index.range(prefix, startKey), changed, limit + 1);
      const more = entries.length > limit;
      if (more) entries.pop();
      const snapshot = db.snapshot();
      try {
        const values = await readValues(db, entries, snapshot);
        return {
          items: values.map((item, i) => item ?? raise(missingValue(entries[i] as IndexEntry))),
          revision,
          more,
        };
      } finally {
        await snapshot.close();
      }
    });
  }

  async count(prefix: string): Promise<number> {
    this.#checkReadable();
    return this.#index.count(prefix);
  }

  create(key: string, value: Uint8Array, options: WriteOptions = {}): Promise<Revision> {
    return this.#write('create', key, value, 0, options.ttlMs);
  }

  update(key: string, value: Uint8Array, expected: Revision, options: WriteOptions = {}): Promise<Revision> {
    return this.#write('update', key, value, expected, options.ttlMs);
  }

  delete(key: string, expected: Revision): Promise<Revision> {
    return this.#write('delete', key, NO_VALUE, expected, undefined);
  }

  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<StoreEventBatch> {
    return this.#hub.watch(options, signal);
  }

  async compact(revision: Revision): Promise<void> {
    this.#checkReadable();
    if (revision > this.#revision) this.#checkReadable(revision);
    await this.#compactor.compact(revision);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#pump.idle();
    this.#expiry.stop();
    await this.#compactor.stop();
    this.#hub.close(closedError());
    await this.#disk.close();
  }

  #checkReadable(revision?: Revision): void {
    if (this.#closing !== undefined) throw closedError();
    if (revision === undefined) return;
    if (revision > this.#revision) {
      throw new StoreError(
        'FUTURE_REVISION',
        `revision ${revision} does not exist yet; the newest is ${this.#revision}`,
      );
    }
    if (revision < this.compactRevision()) throw compacted(revision, this);
  }

  /**
   * Calls `visit` with each change after `revision`, oldest first, and the key's state before it, until it returns
   * false. When it resolves, nothing has been committed beyond what was visited.
   */
  async #scanAfter(
    db: Database,
    revision: Revision,
    visit: (key: string, before: IndexEntry | undefined) => boolean,
  ): Promise<void> {
    let reached = revision;
    while (reached < this.#revision) {
      const part = await scanEvents(db, reached + 1, this.#revision);
      this.#checkReadable(revision);
      for (const { record } of part.records) if (!visit(record.key, stateBefore(record))) return;
      reached = part.reached;
    }
  }

  /** The key's entry at a revision, found from the first change after it. */
  async #entryAt(db: Database, key: string, revision = this.#revision): Promise<IndexEntry | undefined> {
    let result: { before: IndexEntry | undefined } | undefined;
    await this.#scanAfter(db, revision, (changedKey, before) => {
      if (changedKey !== key) return true;
      result = { before };
      return false;
    });
    return result === undefined ? this.#index.get(key) : result.before;
  }

  async #history(request: HistoryRequest): Promise<StoreEventBatch> {
    try {
      return await this.#disk.read((db) => readHistory(db, request));
    } catch (error) {
      this.#checkReadable(request.from);
      throw error;
    } finally {
      this.#checkReadable(request.from);
    }
  }

  #write(
    kind: WriteRequest['kind'],
    key: string,
    value: Uint8Array,
    expected: Revision,
    ttlMs: number | undefined,
  ): Promise<Revision> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    if (key === '') return Promise.reject(new TypeError('the key is empty'));
    if (ttlMs !== undefined && !(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
      return Promise.reject(new TypeError(`ttlMs is not a time to live: ${ttlMs}`));
    }
    return new Promise((resolve, reject) => {
      this.#pump.push({ kind, key, value, expected, ttlMs, resolve, reject });
    });
  }

  async #commit(requests: readonly WriteRequest[]): Promise<void> {
    const admitted = await this.#admit(requests);
    const nowMs = this.#clock.now();
    const lookup = (key: string): IndexEntry | undefined => this.#index.get(key);
    const { writes, refused } = planWrites(admitted, { revision: this.#revision, nowMs, lookup });
    if (writes.length > 0) {
      const first = this.#revision + 1;
      const next = this.#retention.nextSegment(first, nowMs);
      const operations = planOperations(writes);
      if (next !== undefined) {
        const value = encodeNumbers(next.segment.startedMs, next.endedBytes);
        operations.push({ type: 'put', key: segmentKey(first), value });
      }
      const bytes = sizeOf(writes);
      const undo = (): ReturnType<typeof undoOperations> => [
        ...undoOperations(writes, (key) => this.#expiry.get(key)),
        { type: 'del', key: segmentKey(first) },
      ];
      try {
        await this.#disk.write(operations, bytes, undo);
      } catch (error) {
        for (const request of admitted) request.reject(error);
        return;
      }
      const previous = this.#hub.wantsPrevious ? await this.#previousOf(writes) : undefined;
      this.#apply(writes, previous, { segment: next?.segment, bytes, nowMs });
    }
    for (const { request, code } of refused) void this.#refuse(request, code);
  }

  /** On a full disk only deletions go on. The requests that are not admitted are rejected. */
  async #admit(requests: readonly WriteRequest[]): Promise<readonly WriteRequest[]> {
    try {
      await this.#disk.prepare();
      return requests;
    } catch (error) {
      const deletions = isStoreError(error, 'NO_SPACE') && !this.#disk.unsettled;
      const admitted: WriteRequest[] = [];
      for (const request of requests) {
        if (deletions && request.kind === 'delete') admitted.push(request);
        else request.reject(error);
      }
      return admitted;
    }
  }

  /** The durable writes become visible: to readers, then to watchers, then to those who asked for them. */
  #apply(
    writes: readonly PlannedWrite[],
    previous: ReadonlyMap<Revision, KeyValue> | undefined,
    commit: { segment: Segment | undefined; bytes: number; nowMs: number },
  ): void {
    const events: StoreEvent[] = [];
    for (const write of writes) {
      const { key, value } = write.request;
      if (write.entry === undefined) this.#index.delete(key);
      else this.#index.set(write.entry);
      this.#expiry.set(key, write.expiresAtMs);
      events.push(toEvent(write, value, previous?.get(write.previous?.modRevision ?? 0)));
    }
    this.#revision = writes.at(-1)?.revision ?? this.#revision;
    this.#retention.committed(commit.segment, commit.bytes, commit.nowMs);
    this.#hub.publish(events, this.#revision);
    for (const { request, revision } of writes) request.resolve(revision);
    if (commit.segment !== undefined) this.#compactor.segmentBegan();
  }

  async #previousOf(writes: readonly PlannedWrite[]): Promise<ReadonlyMap<Revision, KeyValue>> {
    const entries = writes.map((write) => write.previous).filter((entry) => entry !== undefined);
    const found = new Map<Revision, KeyValue>();
    try {
      for (const item of await this.#disk.read((db) => readValues(db, entries))) {
        if (item !== undefined) found.set(item.modRevision, item);
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'reading replaced values failed; events go without them');
    }
    return found;
  }

  async #refuse(request: WriteRequest, code: StoreError['code']): Promise<void> {
    const { key, expected } = request;
    let current: KeyValue | undefined;
    try {
      const entry = this.#index.get(key);
      if (entry !== undefined) [current] = await this.#disk.read((db) => readValues(db, [entry]));
    } catch (error) {
      request.reject(error);
      return;
    }
    const message =
      code === 'KEY_EXISTS'
        ? `${key} exists`
        : code === 'KEY_NOT_FOUND'
          ? `${key} does not exist`
          : `${key} is at revision ${current?.modRevision ?? 'none'}, not ${expected}`;
    request.reject(new StoreError(code, message, current === undefined ? {} : { current }));
  }

  #expire(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = this.#index.get(key);
      if (entry === undefined) continue;
      this.delete(key, entry.modRevision).catch((error: unknown) => {
        const rewritten = isStoreError(error, 'REVISION_MISMATCH') || isStoreError(error, 'KEY_NOT_FOUND');
        if (rewritten || isStoreError(error, 'CLOSED')) return;
        this.#logger.warn({ err: error, key }, 'deleting an expired key failed; it is tried again');
        if (this.#index.get(key) === entry) this.#expiry.set(key, this.#clock.now() + EXPIRY_RETRY_MS);
      });
    }
  }
}

interface Opened {
  readonly disk: Disk;
  readonly index: KeyIndex;
  readonly contents: Contents;
}

/** Loaded late: the package loads a native addon as soon as it is imported. */
async function loadDefaultLevel(): Promise<LevelClass> {
  return (await import('level')).Level as unknown as LevelClass;
}

function toEvent(write: PlannedWrite, value: Uint8Array, previous: KeyValue | undefined): StoreEvent {
  const { entry, revision } = write;
  const before = previous === undefined ? {} : { previous };
  if (entry === undefined) return { type: 'delete', key: write.request.key, revision, ...before };
  return { type: 'put', key: entry.key, value, revision, createRevision: entry.createRevision, ...before };
}

function sizeOf(writes: readonly PlannedWrite[]): number {
  let bytes = 0;
  for (const { request } of writes) bytes += request.key.length + request.value.length;
  return bytes;
}

function closedError(): StoreError {
  return new StoreError('CLOSED', 'the store is closed');
}

function raise(error: Error): never {
  throw error;
}
