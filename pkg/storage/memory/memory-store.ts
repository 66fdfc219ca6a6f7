import { type Clock, systemClock } from '../../base/clock.ts';
import {
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
import { KeyIndex } from '../key-index.ts';
import { compacted, type HistoryRequest, WatchHub } from '../watch-hub.ts';

export interface MemoryStoreDeps {
  readonly clock?: Clock;
}

const FIRST_REVISION = 1;

/** A store without a disk, for tests: everything it holds, history included, is gone with it. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #index = new KeyIndex();
  readonly #values = new Map<string, Uint8Array>();
  /** The event of each revision from `#compactRevision` on (the first revision has none). */
  #events: StoreEvent[] = [];
  #revision = FIRST_REVISION;
  #compactRevision = FIRST_REVISION;
  #closed = false;
  readonly #expiry: ExpiryQueue;
  readonly #hub: WatchHub;

  constructor(deps: MemoryStoreDeps = {}) {
    this.#clock = deps.clock ?? systemClock;
    this.#expiry = new ExpiryQueue(this.#clock, (keys) => this.#expire(keys));
    this.#hub = new WatchHub({
      revision: () => this.#revision,
      compactRevision: () => this.#compactRevision,
      history: (request) => this.#history(request),
    });
  }

  revision(): Revision {
    return this.#revision;
  }

  compactRevision(): Revision {
    return this.#compactRevision;
  }

  async get(key: string, revision?: Revision): Promise<KeyValue | undefined> {
    this.#checkReadable(revision);
    if (revision !== undefined) {
      const first = this.#eventsAfter(revision).find((event) => event.key === key);
      if (first !== undefined) return first.previous;
    }
    return this.#current(key);
  }

  async list(options: ListOptions): Promise<ListResult> {
    this.#checkReadable(options.revision);
    const revision = options.revision ?? this.#revision;
    const start = options.startKey ?? options.prefix;
    const state = new Map<string, KeyValue | undefined>();
    for (const { key } of this.#index.range(options.prefix, start)) state.set(key, this.#current(key));
    const undone = new Set<string>();
    for (const event of this.#eventsAfter(revision)) {
      if (!event.key.startsWith(options.prefix) || event.key < start || undone.has(event.key)) continue;
      undone.add(event.key);
      state.set(event.key, event.previous);
    }
    let items = [...state.values()].filter((item) => item !== undefined);
    if (undone.size > 0) items.sort((a, b) => (a.key < b.key ? -1 : 1));
    const more = options.limit !== undefined && items.length > options.limit;
    if (more) items = items.slice(0, options.limit);
    return { items, revision, more };
  }

  async count(prefix: string): Promise<number> {
    this.#checkReadable();
    return this.#index.count(prefix);
  }

  async create(key: string, value: Uint8Array, options: WriteOptions = {}): Promise<Revision> {
    await this.#turn();
    const current = this.#current(key);
    if (current !== undefined) throw new StoreError('KEY_EXISTS', `${key} exists`, { current });
    return this.#put(key, value, options, undefined);
  }

  async update(key: string, value: Uint8Array, expected: Revision, options: WriteOptions = {}): Promise<Revision> {
    await this.#turn();
    return this.#put(key, value, options, this.#expect(key, expected));
  }

  async delete(key: string, expected: Revision): Promise<Revision> {
    await this.#turn();
    return this.#delete(this.#expect(key, expected));
  }

  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<StoreEventBatch> {
    return this.#hub.watch(options, signal);
  }

  async compact(revision: Revision): Promise<void> {
    if (revision > this.#revision) this.#checkReadable(revision);
    this.#checkReadable();
    if (revision <= this.#compactRevision) return;
    this.#events = this.#eventsAfter(revision - 1);
    this.#compactRevision = revision;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.resolve();
    this.#expiry.stop();
    this.#hub.close(closedError());
  }

  #checkReadable(revision?: Revision): void {
    if (this.#closed) throw closedError();
    if (revision === undefined) return;
    if (revision > this.#revision) {
      throw new StoreError(
        'FUTURE_REVISION',
        `revision ${revision} does not exist yet; the newest is ${this.#revision}`,
      );
    }
    if (revision < this.#compactRevision) throw compacted(revision, this);
  }

  /** Writes take effect asynchronously, as they do in a store with a disk. */
  async #turn(): Promise<void> {
    this.#checkReadable();
    await Promise.resolve();
  }

  #expect(key: string, expected: Revision): KeyValue {
    const current = this.#current(key);
    if (current === undefined) throw new StoreError('KEY_NOT_FOUND', `${key} does not exist`);
    if (current.modRevision === expected) return current;
    throw new StoreError('REVISION_MISMATCH', `${key} is at revision ${current.modRevision}, not ${expected}`, {
      current,
    });
  }

  #current(key: string): KeyValue | undefined {
    const entry = this.#index.get(key);
    const value = this.#values.get(key);
    if (entry === undefined || value === undefined) return undefined;
    return { key, value, createRevision: entry.createRevision, modRevision: entry.modRevision };
  }

  #put(key: string, value: Uint8Array, options: WriteOptions, previous: KeyValue | undefined): Revision {
    if (key === '') throw new TypeError('the key is empty');
    const revision = this.#revision + 1;
    const createRevision = previous?.createRevision ?? revision;
    this.#index.set({ key, createRevision, modRevision: revision });
    this.#values.set(key, value);
    this.#expiry.set(key, options.ttlMs === undefined ? undefined : this.#clock.now() + options.ttlMs);
    return this.#commit({ type: 'put', key, value, revision, createRevision, ...(previous && { previous }) });
  }

  #delete(previous: KeyValue): Revision {
    this.#index.delete(previous.key);
    this.#values.delete(previous.key);
    this.#expiry.set(previous.key, undefined);
    return this.#commit({ type: 'delete', key: previous.key, revision: this.#revision + 1, previous });
  }

  #commit(event: StoreEvent): Revision {
    this.#events.push(event);
    this.#revision = event.revision;
    this.#hub.publish([event], event.revision);
    return event.revision;
  }

  #expire(keys: readonly string[]): void {
    for (const key of keys) {
      const current = this.#current(key);
      if (current !== undefined) this.#delete(current);
    }
  }

  /** The events of the revisions newer than `revision`. */
  #eventsAfter(revision: Revision): StoreEvent[] {
    const newer = this.#revision - revision;
    return newer <= 0 ? [] : this.#events.slice(-newer);
  }

  async #history(request: HistoryRequest): Promise<StoreEventBatch> {
    this.#checkReadable();
    if (request.from < this.#compactRevision) throw compacted(request.from, this);
    const events = this.#eventsAfter(request.from - 1).filter(
      (event) => event.revision <= request.to && event.key.startsWith(request.prefix),
    );
    return { events, revision: request.to };
  }
}

function closedError(): StoreError {
  return new StoreError('CLOSED', 'the store is closed');
}
