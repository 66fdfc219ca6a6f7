import type { Integer } from '../../base/integers.ts';

const START_BYTES = 2048;
/** A larger scratch buffer is given up after use. */
const KEEP_BYTES = 1024 * 1024;
/** Up to this length a string is written character by character, which is faster than a call out of JavaScript. */
const SHORT = 127;
/** Bytes of the longest number. */
const MAX_VARINT = 10;

/**
 * Writes protobuf's wire format from the end of a message to its beginning: what a message holds is written before its length,
 * so no length is guessed and nothing is moved. Callers therefore write the last item of a list first.
 */
export class ProtobufWriter {
  #bytes: Buffer;
  #at: number;

  constructor(capacity = START_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#at = capacity;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Buffer {
    const written = Buffer.allocUnsafeSlow(this.size);
    this.#bytes.copy(written, 0, this.#at);
    if (this.#bytes.length > KEEP_BYTES) this.#bytes = Buffer.allocUnsafeSlow(START_BYTES);
    this.#at = this.#bytes.length;
    return written;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#at = this.#bytes.length;
  }

  /** A signed 64-bit integer. */
  varint(value: Integer): void {
    if (this.#at < MAX_VARINT) this.#grow(MAX_VARINT);
    if (typeof value === 'bigint') {
      this.#wideVarint(BigInt.asUintN(64, value));
    } else if (value >= 0 && value < 0x80) {
      this.#bytes[--this.#at] = value;
    } else if (value >= 0 && value < 1 << 28) {
      const size = value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
      let at = this.#at - size;
      this.#at = at;
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80;
      this.#bytes[at] = rest;
    } else if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      // The bits above the 28th are a number of their own, and so are those below.
      this.varint(Math.floor(value / (1 << 28)));
      let low = value % (1 << 28);
      const at = this.#at - 4;
      this.#at = at;
      for (let i = 0; i < 4; i++, low >>>= 7) this.#bytes[at + i] = (low & 0x7f) | 0x80;
    } else {
      this.#wideVarint(BigInt.asUintN(64, BigInt(Math.trunc(value))));
    }
  }

  #wideVarint(value: bigint): void {
    const parts: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) parts.push(Number(rest & 0x7fn) | 0x80);
    parts.push(Number(rest));
    this.#at -= parts.length;
    this.#bytes.set(parts, this.#at);
  }

  byte(value: number): void {
    if (this.#at < 1) this.#grow(1);
    this.#bytes[--this.#at] = value;
  }

  double(value: number): void {
    if (this.#at < 8) this.#grow(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** The text with its length before it. */
  string(value: string): void {
    const { length } = value;
    if (length <= SHORT) {
      if (this.#at < SHORT + 1) this.#grow(SHORT + 1);
      const bytes = this.#bytes;
      const at = this.#at - length;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[at + i] = code;
      }
      if (i === length) {
        bytes[at - 1] = length;
        this.#at = at - 1;
        return;
      }
    }
    const size = Buffer.byteLength(value);
    if (this.#at < size) this.#grow(size);
    this.#at -= size;
    this.#bytes.write(value, this.#at, size);
    this.varint(size);
  }

  /** Bytes with their length before them. */
  bytes(value: Uint8Array): void {
    if (this.#at < value.length) this.#grow(value.length);
    this.#at -= value.length;
    this.#bytes.set(value, this.#at);
    this.varint(value.length);
  }

  #grow(count: number): void {
    const { size } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, size + count + START_BYTES));
    const at = grown.length - size;
    this.#bytes.copy(grown, at, this.#at);
    this.#bytes = grown;
    this.#at = at;
  }
}
