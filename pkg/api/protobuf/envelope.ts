import { DecodeError } from '../schema/decode-error.ts';
import { ProtobufReader } from './reader.ts';
import { ProtobufWriter } from './writer.ts';

/** The media type of Kubernetes' protobuf. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** What every body of this type begins with: `k8s` and a zero byte. Behind it is a runtime.Unknown. */
const MAGIC = Buffer.from('k8s\0');

/** A body, opened. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message of that kind: a part of the body, not a copy. */
  readonly raw: Uint8Array;
}

/** Opens a body. Throws a DecodeError when it is none. */
export function openEnvelope(body: Uint8Array): Envelope {
  if (body.length < MAGIC.length || MAGIC.some((byte, i) => body[i] !== byte)) {
    throw new DecodeError(
      'syntax',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const reader = new ProtobufReader(body, MAGIC.length);
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x12) {
      raw = reader.bytes();
    } else if (tag === 0x0a) {
      const outer = reader.open();
      while (!reader.done) {
        const inner = reader.tag();
        if (inner === 0x0a) apiVersion = reader.string();
        else if (inner === 0x12) kind = reader.string();
        else reader.skip(inner & 7);
      }
      reader.close(outer);
    } else {
      reader.skip(tag & 7);
    }
  }
  return { apiVersion, kind, raw };
}

/** What comes before a message of `rawBytes` bytes. */
export function envelopeHead(apiVersion: string, kind: string, rawBytes: number): Buffer {
  const out = new ProtobufWriter(64 + apiVersion.length + kind.length);
  out.varint(rawBytes);
  out.byte(0x12);
  const before = out.size;
  out.string(kind);
  out.byte(0x12);
  out.string(apiVersion);
  out.byte(0x0a);
  out.varint(out.size - before);
  out.byte(0x0a);
  return Buffer.concat([MAGIC, out.take()]);
}

/** A body. */
export function sealEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  return Buffer.concat([envelopeHead(apiVersion, kind, raw.length), raw]);
}

/** What comes before a message of `size` bytes as a field of another; field numbers up to 15. */
export function fieldHead(number: number, size: number): Buffer {
  const head = Buffer.allocUnsafe(fieldHeadBytes(size));
  head[0] = number * 8 + 2;
  let rest = size;
  for (let i = 1; i < head.length; i++) {
    head[i] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest;
    rest >>>= 7;
  }
  return head;
}

/** How many bytes that takes. */
export function fieldHeadBytes(size: number): number {
  return size < 0x80 ? 2 : size < 0x4000 ? 3 : size < 0x20_0000 ? 4 : size < 0x1000_0000 ? 5 : 6;
}

/**
 * One event of a watch: four bytes with the length of what follows, and a meta.v1 WatchEvent whose object is a body in its
 * envelope (`body` in pieces).
 */
export function watchFrame(type: string, body: readonly Uint8Array[]): Buffer {
  let bodyBytes = 0;
  for (const part of body) bodyBytes += part.length;
  // The object is a RawExtension: the body in field 1.
  const rawHead = fieldHead(1, bodyBytes);
  const objectHead = fieldHead(2, rawHead.length + bodyBytes);
  const out = new ProtobufWriter(64);
  out.string(type);
  out.byte(0x0a);
  const typeField = out.take();
  const event = [typeField, objectHead, rawHead, ...body];
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(typeField.length + objectHead.length + rawHead.length + bodyBytes);
  return Buffer.concat([length, ...event]);
}
