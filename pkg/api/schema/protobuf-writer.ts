/** Writes protobuf's wire format. Lengths are filled in when a message ends, so nothing is written twice or copied. */
export class ProtobufWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  varint(value: number): void {
    this.#reserve(10);
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    while (value > 0x7f) {
      this.#bytes[this.#at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#at++] = value;
  }

  #bigVarint(value: bigint): void {
    while (value > 0x7fn) {
      this.#bytes[this.#at++] = Number(value & 0x7fn) | 0x80;
      value >>= 7n;
    }
    this.#bytes[this.#at++] = Number(value);
  }

  int(field: number, value: number): void {
    this.varint(field * 8);
    this.varint(value);
  }

  boolean(field: number, value: boolean): void {
    this.int(field, value ? 1 : 0);
  }

  double(field: number, value: number): void {
    this.varint(field * 8 + 1);
    this.#reserve(8);
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  string(field: number, value: string): void {
    this.varint(field * 8 + 2);
    this.#reserve(value.length * 3 + 10);
    const lengthAt = this.#at;
    // Most strings are short: one byte is kept for the length, and moved over when that is too little.
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(lengthAt + 1));
    this.#at = lengthAt + 1 + written;
    this.#setLength(lengthAt, written);
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** A message: what `write` writes, with its length before it. */
  message(field: number, write: () => void): void {
    this.varint(field * 8 + 2);
    this.#reserve(1);
    const lengthAt = this.#at++;
    write();
    this.#setLength(lengthAt, this.#at - lengthAt - 1);
  }

  /** Puts a length before what has been written behind the one byte kept for it. */
  #setLength(lengthAt: number, length: number): void {
    if (length < 0x80) {
      this.#bytes[lengthAt] = length;
      return;
    }
    const size = length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5;
    this.#reserve(size);
    this.#bytes.copyWithin(lengthAt + size, lengthAt + 1, this.#at);
    const end = this.#at + size - 1;
    this.#at = lengthAt;
    this.varint(length);
    this.#at = end;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

const encoder = new TextEncoder();
