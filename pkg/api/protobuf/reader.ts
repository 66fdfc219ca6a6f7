import { type Integer, narrowInteger } from '../../base/integers.ts';
import { DecodeError } from '../schema/decode-error.ts';
import { MAX_FIELDS, tooManyFields } from '../schema/field-limit.ts';

/** Reads protobuf's wire format. Throws a DecodeError for what is cut short or malformed. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;
  #fields = 0;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = bytes.length;
  }

  /** Whether the message at hand has been read. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Counts a field or element. Throws RequestEntityTooLarge when there are too many of them. */
  count(): void {
    this.#fields++;
    if (this.#fields > MAX_FIELDS) throw tooManyFields();
  }

  /** Begins a message; what it returns closes it. */
  open(): number {
    const length = this.varint();
    const at = this.#take(length);
    const outer = this.#end;
    this.#end = this.#at;
    this.#at = at;
    return outer;
  }

  close(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** The next field's number times 8, plus its wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > MAX_TAG) throw new DecodeError('syntax', 'proto: illegal tag');
    return tag;
  }

  /** A varint as a signed 64-bit number; exact up to 2^53. */
  varint(): number {
    return Number(this.int64());
  }

  /** A varint as a signed 64-bit integer: a bigint beyond 2^53. */
  int64(): Integer {
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
      if (byte < 0x80) return narrowInteger(BigInt.asIntN(64, value));
    }
    throw new DecodeError('syntax', 'proto: integer overflow');
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  string(): string {
    const length = this.varint();
    const at = this.#take(length);
    return length === 0 ? '' : this.#bytes.toString('utf8', at, at + length);
  }

  /** Not a copy. */
  bytes(): Buffer {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.#take(this.varint());
    else if (wire === 5) this.#take(4);
    else throw new DecodeError('syntax', `proto: illegal wireType ${wire}`);
  }

  #byte(): number {
    const at = this.#at;
    if (at >= this.#end) throw endOfInput();
    this.#at = at + 1;
    return this.#bytes[at] ?? 0;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count < 0) throw new DecodeError('syntax', 'proto: negative length found during unmarshaling');
    if (count > this.#end - at) throw endOfInput();
    this.#at = at + count;
    return at;
  }
}

/** Field numbers have 29 bits. */
const MAX_TAG = 2 ** 32;

function endOfInput(): DecodeError {
  return new DecodeError('syntax', 'unexpected EOF');
}
