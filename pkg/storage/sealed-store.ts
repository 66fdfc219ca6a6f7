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
} from './contract.ts';

/** What values look like at rest. */
export interface Sealer {
  /** The stored form of a value; may be the value itself. */
  seal(key: string, value: Uint8Array): Uint8Array;
  /** Throws StoreError UNREADABLE. */
  open(key: string, value: Uint8Array): Uint8Array;
  /** Whether the sealer has anything to do with a key. */
  covers(key: string): boolean;
  /** Whether `seal` would now store the value in another way than it is stored. */
  isStale(key: string, sealed: Uint8Array): boolean;
}

/** A store whose values are sealed in the store below it. */
export class SealedStore implements Store {
  readonly #inner: Store;
  readonly #sealer: Sealer;
  /** The values that were sealed a moment ago: what comes back to watchers is the very value that was written. */
  readonly #sealed = new WeakMap<Uint8Array, Uint8Array>();

  constructor(inner: Store, sealer: Sealer) {
    this.#inner = inner;
    this.#sealer = sealer;
  }

  revision(): Revision {
    return this.#inner.revision();
  }

  compactRevision(): Revision {
    return this.#inner.compactRevision();
  }

  async get(key: string, revision?: Revision): Promise<KeyValue | undefined> {
    const found = await this.#inner.get(key, revision);
    return found && this.#open(found);
  }

  async list(options: ListOptions): Promise<ListResult> {
    const result = await this.#inner.list(options);
    return { ...result, items: result.items.map((item) => this.#open(item)) };
  }

  count(prefix: string): Promise<number> {
    return this.#inner.count(prefix);
  }

  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<Revision> {
    return this.#opening(this.#inner.create(key, this.#seal(key, value), options));
  }

  update(key: string, value: Uint8Array, expected: Revision, options?: WriteOptions): Promise<Revision> {
    return this.#opening(this.#inner.update(key, this.#seal(key, value), expected, options));
  }

  delete(key: string, expected: Revision): Promise<Revision> {
    return this.#opening(this.#inner.delete(key, expected));
  }

  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<StoreEventBatch> {
    // Registration is synchronous: it must not wait for the first iteration.
    return this.#openBatches(this.#inner.watch(options, signal));
  }

  compact(revision: Revision): Promise<void> {
    return this.#inner.compact(revision);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Whether a key should be written anew although its value stays the same; undefined: the sealer does not care for it. */
  isStale(key: string): Promise<boolean> | undefined {
    if (!this.#sealer.covers(key)) return undefined;
    return this.#inner.get(key).then((found) => found !== undefined && this.#sealer.isStale(key, found.value));
  }

  async *#openBatches(batches: AsyncIterable<StoreEventBatch>): AsyncIterable<StoreEventBatch> {
    for await (const batch of batches) {
      yield batch.events.length === 0
        ? batch
        : { ...batch, events: batch.events.map((event) => this.#openEvent(event)) };
    }
  }

  #openEvent(event: StoreEvent): StoreEvent {
    const previous = event.previous === undefined ? {} : { previous: this.#open(event.previous) };
    return event.type === 'put' ? { ...this.#open(event), ...previous } : { ...event, ...previous };
  }

  #open<T extends { readonly key: string; readonly value: Uint8Array }>(item: T): T {
    const plain = this.#sealed.get(item.value) ?? this.#sealer.open(item.key, item.value);
    return plain === item.value ? item : { ...item, value: plain };
  }

  #seal(key: string, value: Uint8Array): Uint8Array {
    const sealed = this.#sealer.seal(key, value);
    if (sealed !== value) this.#sealed.set(sealed, value);
    return sealed;
  }

  /** Errors of writes carry the present value. */
  async #opening(write: Promise<Revision>): Promise<Revision> {
    try {
      return await write;
    } catch (error) {
      if (!isStoreError(error) || error.current === undefined) throw error;
      const { code, message, cause, compactRevision } = error;
      const current = this.#open(error.current);
      throw new StoreError(code, message, {
        cause,
        current,
        ...(compactRevision === undefined ? {} : { compactRevision }),
      });
    }
  }
}
