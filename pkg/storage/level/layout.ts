/**
 * What is where in the database. Keys sort within their one-letter section:
 *
 *   f                     format of the directory
 *   c                     compaction: oldest retained revision, and how far older records are swept away
 *   i<key>                live key -> create revision, mod revision, expiry
 *   m<revision>           event of this revision, without the value
 *   v<revision>           value put in this revision (kept while live or within the history)
 *   t<revision>           a history segment begins here: time, and the size of the segment before it
 *
 * Revisions are 16 decimal digits, so that records sort by revision. Numbers in records are 6 bytes, big-endian.
 */
import type { Revision } from '../contract.ts';
import type { IndexEntry } from '../key-index.ts';

export const FORMAT_KEY = 'f';
export const FORMAT = 'kube-lite store 1';
export const COMPACTION_KEY = 'c';

/** The section's first possible key, and the first key behind it. */
export const INDEX = { gte: 'i', lt: 'j' } as const;
export const SEGMENTS = { gte: 't', lt: 'u' } as const;
export const EVENTS = { gte: 'm', lt: 'n' } as const;

const REVISION_DIGITS = 16;
const NUMBER_BYTES = 6;

export const indexKey = (key: string): string => `i${key}`;
export const eventKey = (revision: Revision): string => `m${digits(revision)}`;
export const valueKey = (revision: Revision): string => `v${digits(revision)}`;
export const segmentKey = (revision: Revision): string => `t${digits(revision)}`;

export function revisionOf(recordKey: string): Revision {
  return Number(recordKey.slice(1));
}

function digits(revision: Revision): string {
  return String(revision).padStart(REVISION_DIGITS, '0');
}

/** An event as it is on disk. */
export interface EventRecord {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Of the key as this event leaves it, or as it was before its deletion. */
  readonly createRevision: Revision;
  /** The modRevision of what this event replaced or deleted; 0 when it created the key. */
  readonly previousRevision: Revision;
}

const TYPE_PUT = 1;
const TYPE_DELETE = 2;
const EVENT_HEADER_BYTES = 1 + 2 * NUMBER_BYTES;

export function encodeEvent(record: EventRecord): Uint8Array {
  const buffer = Buffer.allocUnsafe(EVENT_HEADER_BYTES + Buffer.byteLength(record.key));
  buffer[0] = record.type === 'put' ? TYPE_PUT : TYPE_DELETE;
  buffer.writeUIntBE(record.createRevision, 1, NUMBER_BYTES);
  buffer.writeUIntBE(record.previousRevision, 1 + NUMBER_BYTES, NUMBER_BYTES);
  buffer.write(record.key, EVENT_HEADER_BYTES, 'utf8');
  return buffer;
}

/** Undefined when the bytes are no event record. */
export function decodeEvent(bytes: Uint8Array): EventRecord | undefined {
  const buffer = asBuffer(bytes);
  const type = buffer[0];
  if (buffer.length <= EVENT_HEADER_BYTES || (type !== TYPE_PUT && type !== TYPE_DELETE)) return undefined;
  return {
    type: type === TYPE_PUT ? 'put' : 'delete',
    key: buffer.toString('utf8', EVENT_HEADER_BYTES),
    createRevision: buffer.readUIntBE(1, NUMBER_BYTES),
    previousRevision: buffer.readUIntBE(1 + NUMBER_BYTES, NUMBER_BYTES),
  };
}

export function encodeIndexEntry(entry: Omit<IndexEntry, 'key'>, expiresAtMs: number | undefined): Uint8Array {
  return encodeNumbers(entry.createRevision, entry.modRevision, expiresAtMs ?? 0);
}

export function encodeNumbers(...numbers: readonly number[]): Uint8Array {
  const buffer = Buffer.allocUnsafe(numbers.length * NUMBER_BYTES);
  for (let i = 0; i < numbers.length; i++)
    buffer.writeUIntBE(Math.floor(numbers[i] ?? 0), i * NUMBER_BYTES, NUMBER_BYTES);
  return buffer;
}

/** Undefined when the record does not hold exactly `count` numbers. */
export function decodeNumbers(bytes: Uint8Array | undefined, count: number): number[] | undefined {
  if (bytes?.length !== count * NUMBER_BYTES) return undefined;
  const buffer = asBuffer(bytes);
  return Array.from({ length: count }, (_, i) => buffer.readUIntBE(i * NUMBER_BYTES, NUMBER_BYTES));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
