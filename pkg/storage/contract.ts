/**
 * The etcd-like MVCC key-value contract that every backend (level, memory, etcd) fulfils.
 *
 * - One revision counter for the whole store; every successful write gets the next revision (a transaction's writes
 *   share one). Revisions are positive safe integers, never reused, also after a crash.
 * - Watchers see exactly the committed order.
 * - A write is acknowledged only when it is durable (for backends that are).
 * - Values are opaque and handed on without copying: nobody changes a value after passing it in or receiving it.
 * - Keys are not empty; they are ordered by UTF-16 code units (for the ASCII keys of an API server: by bytes).
 * Upstream: etcd v3 KV, Watch and Lease, and what kube-apiserver's storage layer needs of them.
 */
export type Revision = number;

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision in which the key was created (since its last deletion). */
  readonly createRevision: Revision;
  /** The revision of the last change: the object's resourceVersion. */
  readonly modRevision: Revision;
}

export interface ListOptions {
  /** All keys that begin with this. */
  readonly prefix: string;
  /** Begin at this key (inclusive), for paging; must begin with `prefix`. */
  readonly startKey?: string;
  /** At most so many items; `more` tells whether others follow. */
  readonly limit?: number;
  /** Read the state at this revision instead of the newest. */
  readonly revision?: Revision;
}

export interface ListResult {
  readonly items: readonly KeyValue[];
  /** The revision this read is consistent at. */
  readonly revision: Revision;
  readonly more: boolean;
}

export interface WriteOptions {
  /** The key is deleted this long after the write, unless rewritten. */
  readonly ttlMs?: number;
}

export type StoreEvent =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      readonly revision: Revision;
      readonly createRevision: Revision;
      readonly previous?: KeyValue;
    }
  | { readonly type: 'delete'; readonly key: string; readonly revision: Revision; readonly previous?: KeyValue };

/** All events of one or more consecutive revisions, in order; a revision is never split over two batches. */
export interface StoreEventBatch {
  readonly events: readonly StoreEvent[];
  /** Everything up to this revision (for the prefix) has been delivered. */
  readonly revision: Revision;
}

export interface WatchOptions {
  readonly prefix: string;
  /** First revision wanted (inclusive). Default: what comes after now. */
  readonly fromRevision?: Revision;
  /** Put the replaced or deleted value into each event (it is always there for events newer than the watch's start). */
  readonly withPrevious?: boolean;
  /** Also deliver batches without events when the store's revision moved on without touching the prefix. */
  readonly withProgress?: boolean;
}

export type StoreErrorCode =
  /** `create`: the key exists. */
  | 'KEY_EXISTS'
  /** `update`, `delete`: the key is not there. */
  | 'KEY_NOT_FOUND'
  /** `update`, `delete`: the key's modRevision is another one. `current` has the present value. */
  | 'REVISION_MISMATCH'
  /** A read or watch at a revision older than the retained history. `compactRevision` says what is retained. */
  | 'COMPACTED'
  /** A read at a revision that does not exist yet. */
  | 'FUTURE_REVISION'
  /** The disk is full; nothing was written. */
  | 'NO_SPACE'
  /** The data directory is used by another running process. */
  | 'LOCKED'
  /** The data on disk cannot be read. */
  | 'CORRUPT'
  /** A value is sealed with a key that is not at hand. */
  | 'UNREADABLE'
  | 'CLOSED'
  | 'IO';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly current: KeyValue | undefined;
  readonly compactRevision: Revision | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    details: { cause?: unknown; current?: KeyValue; compactRevision?: Revision } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'StoreError';
    this.code = code;
    this.current = details.current;
    this.compactRevision = details.compactRevision;
  }
}

export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code);
}

export interface Store {
  /** The newest committed revision; 1 for an empty store (as etcd has it). */
  revision(): Revision;
  /** The oldest revision that can be read or watched from. */
  compactRevision(): Revision;
  get(key: string, revision?: Revision): Promise<KeyValue | undefined>;
  list(options: ListOptions): Promise<ListResult>;
  /** Number of live keys below a prefix. */
  count(prefix: string): Promise<number>;
  /** Resolves with the new revision when durable. Rejects with KEY_EXISTS. */
  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<Revision>;
  /** Rejects with KEY_NOT_FOUND or REVISION_MISMATCH (which carries the current value). */
  update(key: string, value: Uint8Array, expected: Revision, options?: WriteOptions): Promise<Revision>;
  delete(key: string, expected: Revision): Promise<Revision>;
  /**
   * Events from a revision on, in committed order, until `signal` aborts (then the iteration ends). Rejects with
   * COMPACTED when `fromRevision` is no longer retained; throws CLOSED when the store closes. Registration is
   * synchronous: everything committed after the call returns is delivered. One iteration per watch. A consumer that
   * falls far behind is served from history, so it too gets COMPACTED when compaction overtakes it.
   */
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<StoreEventBatch>;
  /**
   * Drops history older than `revision` (live values stay). Nothing happens when it is gone already; rejects with
   * FUTURE_REVISION for a revision that does not exist yet.
   */
  compact(revision: Revision): Promise<void>;
  /** Idempotent; waits for writes under way. */
  close(): Promise<void>;
}
