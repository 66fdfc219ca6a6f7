import { DecodeError } from './decode-error.ts';

/** Reads protobuf's wire format. Throws a DecodeError for what is cut short or malformed. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly wire: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed();
    return { field, wire: tag % 8 };
  }

  /** A varint as a signed 64-bit number; exact up to 2^53. */
  varint(): number {
    let low = 0;
    let factor = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return low;
      factor *= 128;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw malformed();
  }

  double(): number {
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  string(): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A reader of the message that comes next. */
  message(): ProtobufReader {
    const length = this.varint();
    const at = this.#take(length);
    return new ProtobufReader(this.#bytes, at, at + length);
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.#take(this.varint());
    else if (wire === 5) this.#take(4);
    else throw malformed();
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #take(count: number): number {
    const at = this.#at;
    if (!(count >= 0) || at + count > this.#end) throw new DecodeError('syntax', 'unexpected EOF');
    this.#at = at + count;
    return at;
  }
}

function malformed(): DecodeError {
  return new DecodeError('syntax', 'proto: illegal wireType');
}
