/** Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, version 3.1), as far as a client of streaming servers meets them. */
export type SpdyFrame =
  | { readonly kind: 'data'; readonly stream: number; readonly data: Buffer; readonly last: boolean }
  | { readonly kind: 'reply'; readonly stream: number; readonly last: boolean }
  | { readonly kind: 'reset'; readonly stream: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goaway' }
  | { readonly kind: 'other' };

const VERSION = 3;
const CONTROL = 0x8000;
const FIN = 1;
const HEAD_BYTES = 8;
const STREAM_MASK = 0x7fffffff;
/** The largest block that deflate stores as it is, and the largest frame that is taken. */
const MAX_BLOCK = 0xffff;
const MAX_FRAME = 0xffffff;

const Type = { SynStream: 1, SynReply: 2, RstStream: 3, Ping: 6, GoAway: 7 } as const;

/** What zlib streams begin with: deflate, no dictionary. */
const ZLIB_START = Buffer.from([0x78, 0x01]);
/** An empty stored block, with which deflate flushes. */
const FLUSH = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** A frame that opens a stream. `first`: of the session; the headers of a session are one compressed stream. */
export function synStream(stream: number, headers: Readonly<Record<string, string>>, first: boolean): Buffer {
  const ids = Buffer.alloc(10);
  ids.writeUInt32BE(stream, 0);
  const block = stored(headerBlock(headers));
  return control(Type.SynStream, Buffer.concat([ids, ...(first ? [ZLIB_START] : []), block, FLUSH]));
}

export function writeData(stream: number, data: Uint8Array): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; at += MAX_BLOCK) {
    const part = data.subarray(at, at + MAX_BLOCK);
    frames.push(head(stream, 0, part.length), Buffer.from(part));
  }
  return Buffer.concat(frames);
}

/** Ends the writing side of a stream. */
export function finish(stream: number): Buffer {
  return head(stream, FIN, 0);
}

export function writePing(id: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(id, 0);
  return control(Type.Ping, body);
}

function head(first: number, flags: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32BE(first >>> 0, 0);
  bytes.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return bytes;
}

function control(type: number, body: Buffer): Buffer {
  return Buffer.concat([head(((CONTROL | VERSION) << 16) | type, 0, body.length), body]);
}

function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  const parts = [uint32(entries.length)];
  for (const entry of entries)
    for (const text of entry) {
      const bytes = Buffer.from(text);
      parts.push(uint32(bytes.length), bytes);
    }
  return Buffer.concat(parts);
}

/** Deflate without compression: headers are a few words. */
function stored(block: Buffer): Buffer {
  if (block.length > MAX_BLOCK) throw new Error('the headers of a stream are too long');
  const start = Buffer.alloc(5);
  start.writeUInt16LE(block.length, 1);
  start.writeUInt16LE(~block.length & 0xffff, 3);
  return Buffer.concat([start, block]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

/** Takes frames out of what comes in pieces. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws for what is not SPDY. */
  *read(chunk: Buffer): Generator<SpdyFrame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + (bytes.readUInt32BE(4) & MAX_FRAME);
      if (bytes.length < end) break;
      yield parse(bytes.readUInt32BE(0), bytes[4] ?? 0, bytes.subarray(HEAD_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }
}

function parse(first: number, flags: number, body: Buffer): SpdyFrame {
  const last = (flags & FIN) !== 0;
  if (first >>> 31 === 0) return { kind: 'data', stream: first, data: body, last };
  if (((first >>> 16) & ~CONTROL) !== VERSION) throw new Error('not SPDY/3.1');
  switch (first & 0xffff) {
    case Type.SynReply:
      return { kind: 'reply', stream: body.readUInt32BE(0) & STREAM_MASK, last };
    case Type.RstStream:
      return { kind: 'reset', stream: body.readUInt32BE(0) & STREAM_MASK };
    case Type.Ping:
      return { kind: 'ping', id: body.readUInt32BE(0) };
    case Type.GoAway:
      return { kind: 'goaway' };
    default:
      return { kind: 'other' };
  }
}
