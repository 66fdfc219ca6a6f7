/** Writes protobuf from its beginning, for documents that are made once; pkg/api/protobuf has the writer of objects. */
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
    const { length } = value;
    this.#reserve(length * 3 + 10);
    // Most strings are short: one byte is kept for the length, and what follows is moved when that is too little.
    const lengthAt = this.#at;
    const start = lengthAt + 1;
    if (length < SHORT) {
      const bytes = this.#bytes;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[start + i] = code;
      }
      if (i === length) {
        bytes[lengthAt] = length;
        this.#at = start + length;
        return;
      }
    }
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start));
    this.#at = start + written;
    this.end(lengthAt);
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
    const mark = this.begin(field);
    write();
    this.end(mark);
  }

  /** Begins a message; what it returns ends it. */
  begin(field: number): number {
    this.varint(field * 8 + 2);
    this.#reserve(1);
    return this.#at++;
  }

  /** Ends the message: puts its length into the byte kept for it, or makes room for more. */
  end(lengthAt: number): void {
    const length = this.#at - lengthAt - 1;
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

/** Strings below this are written character by character. */
const SHORT = 100;

const encoder = new TextEncoder();
