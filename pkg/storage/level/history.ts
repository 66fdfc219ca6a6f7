import { type KeyValue, type Revision, StoreError, type StoreEvent, type StoreEventBatch } from '../contract.ts';
import type { IndexEntry } from '../key-index.ts';
import type { HistoryRequest } from '../watch-hub.ts';
import type { Database } from './disk.ts';
import { decodeEvent, type EventRecord, eventKey, revisionOf, valueKey } from './layout.ts';

/** Records or values fetched in one go. */
const SCAN_RECORDS = 1024;
const VALUES_AT_ONCE = 128;
/** An answer to a watch stops growing here. */
const HISTORY_BATCH_BYTES = 4 << 20;
/** LevelDB's own bound per fetch (16 KiB unless told) would cut a scan into many small ones. */
export const SCAN_BYTES = 1 << 20;

type Snapshot = ReturnType<Database['snapshot']>;

export interface NumberedRecord {
  readonly revision: Revision;
  readonly record: EventRecord;
}

/** Event records from `from` to `to`, at most 1024. `reached` is the revision up to which nothing is left out. */
export async function scanEvents(
  db: Database,
  from: Revision,
  to: Revision,
): Promise<{ records: NumberedRecord[]; reached: Revision }> {
  const iterator = db.iterator({ gte: eventKey(from), lte: eventKey(to), highWaterMarkBytes: SCAN_BYTES });
  try {
    const rows = await iterator.nextv(SCAN_RECORDS);
    const records = rows.map(([key, bytes]) => {
      const record = decodeEvent(bytes);
      if (record === undefined) throw new StoreError('CORRUPT', `the event record of revision ${key} cannot be read`);
      return { revision: revisionOf(key), record };
    });
    // A scan may end early; only an empty one is sure to have seen the end.
    return { records, reached: records.at(-1)?.revision ?? to };
  } finally {
    await iterator.close();
  }
}

/** The key's state before an event: undefined when the event created the key. */
export function stateBefore(record: EventRecord): IndexEntry | undefined {
  if (record.previousRevision === 0) return undefined;
  return { key: record.key, createRevision: record.createRevision, modRevision: record.previousRevision };
}

/** The values of entries, in the same order; undefined where one is not there. */
export async function readValues(
  db: Database,
  entries: readonly IndexEntry[],
  snapshot?: Snapshot,
): Promise<(KeyValue | undefined)[]> {
  const items: (KeyValue | undefined)[] = [];
  for (let at = 0; at < entries.length; at += VALUES_AT_ONCE) {
    const chunk = entries.slice(at, at + VALUES_AT_ONCE);
    const keys = chunk.map((entry) => valueKey(entry.modRevision));
    const values = await db.getMany(keys, snapshot === undefined ? {} : { snapshot });
    for (let i = 0; i < chunk.length; i++) {
      const { key, createRevision, modRevision } = chunk[i] as IndexEntry;
      const value = values[i];
      items.push(value === undefined ? undefined : { key, value, createRevision, modRevision });
    }
  }
  return items;
}

export function missingValue(entry: IndexEntry): StoreError {
  return new StoreError('CORRUPT', `the value of ${entry.key} at revision ${entry.modRevision} is not there`);
}

/** Part of the history a watch asks for: `revision` says how far it goes. */
export async function readHistory(db: Database, request: HistoryRequest): Promise<StoreEventBatch> {
  const { records, reached } = await scanEvents(db, request.from, request.to);
  const matching = records.filter(({ record }) => record.key.startsWith(request.prefix));
  const events: StoreEvent[] = [];
  let bytes = 0;
  for (let at = 0; at < matching.length; at += VALUES_AT_ONCE) {
    const chunk = matching.slice(at, at + VALUES_AT_ONCE);
    if (bytes > HISTORY_BATCH_BYTES) return { events, revision: events.at(-1)?.revision ?? reached };
    const wanted: IndexEntry[] = [];
    for (const { revision, record } of chunk) {
      if (record.type === 'put')
        wanted.push({ key: record.key, createRevision: record.createRevision, modRevision: revision });
      const before = request.withPrevious ? stateBefore(record) : undefined;
      if (before !== undefined) wanted.push(before);
    }
    const found = new Map<Revision, KeyValue>();
    for (const item of await readValues(db, wanted)) {
      if (item === undefined) continue;
      bytes += item.value.length;
      found.set(item.modRevision, item);
    }
    for (const numbered of chunk) events.push(toEvent(numbered, found));
  }
  return { events, revision: reached };
}

function toEvent({ revision, record }: NumberedRecord, values: ReadonlyMap<Revision, KeyValue>): StoreEvent {
  const { type, key, createRevision } = record;
  const previous = values.get(record.previousRevision);
  const before = previous === undefined ? {} : { previous };
  if (type === 'delete') return { type, key, revision, ...before };
  const value = values.get(revision)?.value;
  if (value === undefined) throw missingValue({ key, createRevision, modRevision: revision });
  return { type, key, value, revision, createRevision, ...before };
}
