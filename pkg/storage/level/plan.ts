import type { Revision, StoreErrorCode } from '../contract.ts';
import type { IndexEntry } from '../key-index.ts';
import type { Operation } from './disk.ts';
import { encodeEvent, encodeIndexEntry, eventKey, indexKey, valueKey } from './layout.ts';

/** A write that waits for its turn. */
export interface WriteRequest {
  readonly kind: 'create' | 'update' | 'delete';
  readonly key: string;
  /** Empty for a deletion. */
  readonly value: Uint8Array;
  /** The modRevision the key must have; of no meaning for a creation. */
  readonly expected: Revision;
  readonly ttlMs: number | undefined;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

export interface PlannedWrite {
  readonly request: WriteRequest;
  readonly revision: Revision;
  readonly previous: IndexEntry | undefined;
  /** The key's new entry; undefined: deleted. */
  readonly entry: IndexEntry | undefined;
  readonly expiresAtMs: number | undefined;
}

export interface RefusedWrite {
  readonly request: WriteRequest;
  readonly code: StoreErrorCode;
}

export interface WritePlan {
  readonly writes: readonly PlannedWrite[];
  readonly refused: readonly RefusedWrite[];
}

export interface PlanState {
  /** The newest committed revision. */
  readonly revision: Revision;
  readonly nowMs: number;
  readonly lookup: (key: string) => IndexEntry | undefined;
}

/** Decides, in order, which requests become writes of the next batch; each sees the ones before it. */
export function planWrites(requests: readonly WriteRequest[], state: PlanState): WritePlan {
  const writes: PlannedWrite[] = [];
  const refused: RefusedWrite[] = [];
  const pending = new Map<string, IndexEntry | undefined>();
  let revision = state.revision;
  for (const request of requests) {
    const { key, kind } = request;
    const previous = pending.has(key) ? pending.get(key) : state.lookup(key);
    const code = refusal(request, previous);
    if (code !== undefined) {
      refused.push({ request, code });
      continue;
    }
    revision++;
    const entry =
      kind === 'delete'
        ? undefined
        : { key, createRevision: previous?.createRevision ?? revision, modRevision: revision };
    const expiresAtMs = entry === undefined || request.ttlMs === undefined ? undefined : state.nowMs + request.ttlMs;
    pending.set(key, entry);
    writes.push({ request, revision, previous, entry, expiresAtMs });
  }
  return { writes, refused };
}

function refusal(request: WriteRequest, current: IndexEntry | undefined): StoreErrorCode | undefined {
  if (request.kind === 'create') return current === undefined ? undefined : 'KEY_EXISTS';
  if (current === undefined) return 'KEY_NOT_FOUND';
  return current.modRevision === request.expected ? undefined : 'REVISION_MISMATCH';
}

export function planOperations(writes: readonly PlannedWrite[]): Operation[] {
  const operations: Operation[] = [];
  for (const { request, revision, previous, entry, expiresAtMs } of writes) {
    const event = encodeEvent({
      type: entry === undefined ? 'delete' : 'put',
      key: request.key,
      createRevision: entry?.createRevision ?? previous?.createRevision ?? 0,
      previousRevision: previous?.modRevision ?? 0,
    });
    operations.push({ type: 'put', key: eventKey(revision), value: event });
    if (entry === undefined) {
      operations.push({ type: 'del', key: indexKey(request.key) });
    } else {
      operations.push({ type: 'put', key: valueKey(revision), value: request.value });
      operations.push({ type: 'put', key: indexKey(request.key), value: encodeIndexEntry(entry, expiresAtMs) });
    }
  }
  return operations;
}

/** What takes the writes back, whether or not they reached the disk. */
export function undoOperations(
  writes: readonly PlannedWrite[],
  expiryOf: (key: string) => number | undefined,
): Operation[] {
  const operations: Operation[] = [];
  // Backwards: the last word on a key has its first write, whose `previous` is the committed state.
  for (const { request, revision, previous } of writes.toReversed()) {
    const key = indexKey(request.key);
    operations.push({ type: 'del', key: eventKey(revision) }, { type: 'del', key: valueKey(revision) });
    if (previous === undefined) operations.push({ type: 'del', key });
    else operations.push({ type: 'put', key, value: encodeIndexEntry(previous, expiryOf(request.key)) });
  }
  return operations;
}
