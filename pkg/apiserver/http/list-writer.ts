import { createGzip } from 'node:zlib';
import { apiVersionOf } from '../../api/object.ts';
import { fieldHead, PROTOBUF_TYPE } from '../../api/protobuf/index.ts';
import type { ListResult } from '../registry/list.ts';
import type { Negotiated } from '../request/negotiate.ts';
import type { Entry } from '../watchcache/entry.ts';
import { listMetadata } from './list-metadata.ts';
import type { LoopTurns } from './loop-turns.ts';
import { protobufList } from './protobuf.ts';
import { headers, type Response, type ResponseHead } from './response.ts';

/** Small enough to keep the event loop free between two of them. */
export const BLOCK_BYTES = 512 * 1024;
const GZIP_FROM_BYTES = 128 * 1024;
const OPEN = 0x7b;
const COMMA = 0x2c;
const TAIL = Buffer.from(']}\n');

/** Writes a list as JSON from the bytes of its entries, block by block. */
export async function writeList(
  response: Response,
  list: ListResult,
  head: ResponseHead,
  turns: LoopTurns,
): Promise<void> {
  const start = Buffer.from(listHead(list));
  const whole = list.definition.custom === true;
  const { entries } = list;
  let length = start.length + TAIL.length;
  for (const entry of entries) length += itemLength(entry, whole) + 1;
  if (entries.length > 0) length--;
  const sink = openSink(response, head, 'application/json', length);
  if (sink === undefined) return;
  if (length > BLOCK_BYTES) await turns.begin();
  let next = 0;
  let remaining = length;
  let position = 0;
  let block = Buffer.allocUnsafe(Math.min(remaining, BLOCK_BYTES));
  const put = (part: Uint8Array): void => {
    block.set(part, position);
    position += part.length;
  };
  put(start);
  while (next < entries.length) {
    const entry = entries[next];
    if (entry === undefined) break;
    const size = itemLength(entry, whole) + (next > 0 ? 1 : 0);
    if (position + size > block.length) {
      remaining -= position;
      if (position > 0 && !(await send(sink, response, block.subarray(0, position), turns))) return;
      block = Buffer.allocUnsafe(Math.max(size, Math.min(remaining, BLOCK_BYTES)));
      position = 0;
      continue;
    }
    if (next > 0) block[position++] = COMMA;
    if (whole) put(entry.bytes);
    else {
      block[position++] = OPEN;
      put(entry.bytes.subarray(entry.bodyStart));
    }
    next++;
  }
  if (position + TAIL.length <= block.length) {
    put(TAIL);
    sink.end(block.subarray(0, position));
  } else {
    sink.write(block.subarray(0, position));
    sink.end(TAIL);
  }
}

/**
 * Writes the head of an answer of `length` bytes (undefined: many); where its body goes, undefined when it has none.
 */
export function openSink(
  response: Response,
  head: ResponseHead,
  contentType: string,
  length?: number,
): NodeJS.WritableStream | undefined {
  const fields = headers(head, contentType);
  if (head.sent !== undefined && length !== undefined) head.sent.bytes = length;
  const gzip = head.gzip && (length === undefined || length >= GZIP_FROM_BYTES);
  if (gzip) {
    fields['Content-Encoding'] = 'gzip';
    fields['Vary'] = 'Accept-Encoding';
  } else if (length !== undefined) {
    fields['Content-Length'] = length;
  }
  response.writeHead(200, fields);
  if (head.headOnly) {
    response.end();
    return undefined;
  }
  const compressor = gzip ? createGzip({ level: 1 }) : undefined;
  compressor?.pipe(response);
  return compressor ?? response;
}

/** Writes a list in protobuf, block by block. */
export async function writeProtobufList(
  response: Response,
  list: ListResult,
  wanted: Pick<Negotiated, 'as' | 'version'>,
  head: ResponseHead,
  turns: LoopTurns,
): Promise<void> {
  const body = await protobufList(list, wanted);
  const sink = openSink(response, head, PROTOBUF_TYPE, body.bytes);
  if (sink === undefined) return;
  let parts = [body.head];
  let size = body.head.length;
  for (const message of body.messages) {
    const itemHead = fieldHead(body.itemField, message.length);
    parts.push(itemHead, message);
    size += itemHead.length + message.length;
    if (size < BLOCK_BYTES) continue;
    if (!(await send(sink, response, Buffer.concat(parts, size), turns))) return;
    parts = [];
    size = 0;
  }
  sink.end(Buffer.concat(parts, size));
}

function itemLength(entry: Entry, whole: boolean): number {
  return whole ? entry.bytes.length : entry.bytes.length - entry.bodyStart + 1;
}

export function listHead(list: ListResult): string {
  const { definition } = list;
  const metadata = listMetadata(list);
  const head = JSON.stringify({ kind: definition.listKind, apiVersion: apiVersionOf(definition.type), metadata });
  return `${head.slice(0, -1)},"items":[`;
}

/** False when the client is gone. Always gives other work a turn. */
export async function send(
  sink: NodeJS.WritableStream,
  response: Response,
  block: Buffer,
  turns: LoopTurns,
): Promise<boolean> {
  if (response.destroyed) return false;
  if (!sink.write(block)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        sink.removeListener('drain', done);
        response.removeListener('close', done);
        resolve();
      };
      sink.once('drain', done);
      response.once('close', done);
    });
  }
  await turns.next();
  return !response.destroyed;
}
