import { type Revision, StoreError } from '../contract.ts';
import type { IndexEntry } from '../key-index.ts';
import type { CompactorState } from './compactor.ts';
import type { Database } from './disk.ts';
import { SCAN_BYTES } from './history.ts';
import {
  COMPACTION_KEY,
  decodeNumbers,
  EVENTS,
  encodeNumbers,
  FORMAT,
  FORMAT_KEY,
  INDEX,
  revisionOf,
  SEGMENTS,
} from './layout.ts';
import type { Segment } from './retention.ts';

const ROWS_AT_ONCE = 4096;

/** What a store knows from its disk when it opens. */
export interface Contents {
  readonly revision: Revision;
  readonly compaction: CompactorState;
  readonly segments: readonly Segment[];
}

/** The revision of an empty store. */
export const FIRST_REVISION = 1;

/**
 * Reads everything but events and values. `onEntry` is called for each live key, in the order of the keys' bytes, with
 * the wall-clock time of its expiry.
 */
export async function readContents(
  db: Database,
  onEntry: (entry: IndexEntry, expiresAtMs: number | undefined) => void,
): Promise<Contents> {
  const [format, compaction] = await db.getMany([FORMAT_KEY, COMPACTION_KEY]);
  if (format === undefined) {
    if ((await db.keys({ limit: 1 }).all()).length > 0) throw corrupt('the directory holds another kind of database');
    await db.batch(
      [
        { type: 'put', key: FORMAT_KEY, value: Buffer.from(FORMAT) },
        { type: 'put', key: COMPACTION_KEY, value: encodeNumbers(FIRST_REVISION, FIRST_REVISION) },
      ],
      { sync: true },
    );
    return {
      revision: FIRST_REVISION,
      compaction: { compactRevision: FIRST_REVISION, sweptRevision: FIRST_REVISION },
      segments: [],
    };
  }
  if (Buffer.from(format).toString() !== FORMAT) throw corrupt('the format is not known to this version');
  const [compactRevision, sweptRevision] = decodeNumbers(compaction, 2) ?? [];
  if (compactRevision === undefined || sweptRevision === undefined) throw corrupt('the compaction record is damaged');
  const newest = await db.keys({ ...EVENTS, reverse: true, limit: 1 }).all();
  const revision = newest[0] === undefined ? FIRST_REVISION : revisionOf(newest[0]);
  if (!(revision >= compactRevision)) throw corrupt('the newest events are missing');
  await readIndex(db, revision, onEntry);
  return { revision, compaction: { compactRevision, sweptRevision }, segments: await readSegments(db) };
}

async function readIndex(
  db: Database,
  newest: Revision,
  onEntry: (entry: IndexEntry, expiresAtMs: number | undefined) => void,
): Promise<void> {
  const iterator = db.iterator({ ...INDEX, highWaterMarkBytes: SCAN_BYTES });
  try {
    for (;;) {
      const rows = await iterator.nextv(ROWS_AT_ONCE);
      if (rows.length === 0) return;
      for (const [recordKey, bytes] of rows) {
        const key = recordKey.slice(1);
        const [createRevision = 0, modRevision = 0, expiresAtMs = 0] = decodeNumbers(bytes, 3) ?? [];
        if (modRevision < 1 || modRevision > newest) throw corrupt(`the index entry of ${key} is damaged`);
        onEntry({ key, createRevision, modRevision }, expiresAtMs === 0 ? undefined : expiresAtMs);
      }
    }
  } finally {
    await iterator.close();
  }
}

async function readSegments(db: Database): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const [key, bytes] of await db.iterator(SEGMENTS).all()) {
    const [startedMs, previousBytes] = decodeNumbers(bytes, 2) ?? [];
    if (startedMs === undefined || previousBytes === undefined) throw corrupt('a segment record is damaged');
    const previous = segments.at(-1);
    if (previous !== undefined) previous.bytes = previousBytes;
    segments.push({ from: revisionOf(key), startedMs, bytes: 0 });
  }
  return segments;
}

function corrupt(message: string): StoreError {
  return new StoreError('CORRUPT', `the data directory cannot be read: ${message}`);
}
