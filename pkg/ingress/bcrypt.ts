/** The numbers that Blowfish begins with: the first bits of the fraction of pi, 18 words and four boxes of 256. */
const WORDS = 18 + 4 * 256;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SHAPE = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
const MAX_KEY_BYTES = 72;
const TEXT = 'OrpheanBeholderScryDoubt';

export interface BcryptHash {
  /** 2 to the power of this many rounds. */
  readonly cost: number;
  readonly salt: Buffer;
  readonly digest: string;
}

/** Reads `$2y$05$...`; undefined: it is none. */
export function parseBcrypt(text: string): BcryptHash | undefined {
  const [, cost, salt, digest] = SHAPE.exec(text) ?? [];
  if (cost === undefined || salt === undefined || digest === undefined) return undefined;
  return { cost: Number(cost), salt: decode(salt).subarray(0, 16), digest };
}

/** bcrypt (Provos and Mazières, 1999), as `htpasswd -B` uses it. To make one takes some milliseconds. */
export class Bcrypt {
  readonly #initial = wordsOfPi();

  /** The digest of a password as it stands in a hash. Blocks: a cost of 5 takes some milliseconds, and each more doubles it. */
  digest(password: string, { cost, salt }: Pick<BcryptHash, 'cost' | 'salt'>): string {
    const key = Buffer.concat([Buffer.from(password), Buffer.alloc(1)]).subarray(0, MAX_KEY_BYTES);
    const cipher = new Blowfish(Uint32Array.from(this.#initial));
    cipher.expand(key, salt);
    for (let round = 2 ** cost; round > 0; round--) {
      cipher.expand(key);
      cipher.expand(salt);
    }
    const out = Buffer.from(TEXT, 'latin1');
    const block = new Uint32Array(2);
    for (let at = 0; at < out.length; at += 8) {
      block[0] = out.readUInt32BE(at);
      block[1] = out.readUInt32BE(at + 4);
      for (let times = 0; times < 64; times++) cipher.encrypt(block);
      out.writeUInt32BE(block[0] ?? 0, at);
      out.writeUInt32BE(block[1] ?? 0, at + 4);
    }
    return encode(out.subarray(0, 23));
  }
}

class Blowfish {
  /** The round keys, then the boxes. */
  readonly #state: Uint32Array;

  constructor(state: Uint32Array) {
    this.#state = state;
  }

  /** Mixes a key in, and a salt of 16 bytes. */
  expand(key: Buffer, salt?: Buffer): void {
    const state = this.#state;
    let at = 0;
    for (let i = 0; i < 18; i++) {
      let word = 0;
      for (let byte = 0; byte < 4; byte++) {
        word = (word << 8) | (key[at] ?? 0);
        at = (at + 1) % key.length;
      }
      state[i] = (state[i] ?? 0) ^ word;
    }
    const block = new Uint32Array(2);
    for (let i = 0; i < WORDS; i += 2) {
      if (salt !== undefined) {
        block[0] = (block[0] ?? 0) ^ salt.readUInt32BE((i * 4) % 16);
        block[1] = (block[1] ?? 0) ^ salt.readUInt32BE((i * 4 + 4) % 16);
      }
      this.encrypt(block);
      state[i] = block[0] ?? 0;
      state[i + 1] = block[1] ?? 0;
    }
  }

  encrypt(block: Uint32Array): void {
    const state = this.#state;
    let left = block[0] ?? 0;
    let right = block[1] ?? 0;
    for (let round = 0; round < 16; round += 2) {
      left ^= state[round] ?? 0;
      right ^= mixed(state, left) ^ (state[round + 1] ?? 0);
      left ^= mixed(state, right);
    }
    block[0] = right ^ (state[17] ?? 0);
    block[1] = left ^ (state[16] ?? 0);
  }
}

/** A word by way of the four boxes. */
function mixed(state: Uint32Array, word: number): number {
  const sum = ((state[18 + (word >>> 24)] ?? 0) + (state[274 + ((word >>> 16) & 255)] ?? 0)) | 0;
  return ((sum ^ (state[530 + ((word >>> 8) & 255)] ?? 0)) + (state[786 + (word & 255)] ?? 0)) | 0;
}

/** By Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239). */
function wordsOfPi(): Uint32Array {
  const guard = 64;
  const bits = WORDS * 32 + guard;
  const pi = 16n * arctan(5, bits) - 4n * arctan(239, bits);
  const hex = ((pi - (3n << BigInt(bits))) >> BigInt(guard)).toString(16).padStart(WORDS * 8, '0');
  return Uint32Array.from({ length: WORDS }, (_, index) => Number.parseInt(hex.slice(8 * index, 8 * index + 8), 16));
}

/** The arctangent of one part of `inverse`, times 2 to the power of `bits`. */
function arctan(inverse: number, bits: number): bigint {
  const terms = Math.ceil(bits / (2 * Math.log2(inverse))) + 1;
  const { q, t } = partialSum(1, terms, BigInt(inverse * inverse));
  return ((q + t) << BigInt(bits)) / (q * BigInt(inverse));
}

/** The sum of the terms from `first` to before `end`, by halves: t / q; p and q are what all later terms are times. */
function partialSum(first: number, end: number, square: bigint): { p: bigint; q: bigint; t: bigint } {
  if (end - first === 1) {
    const p = BigInt(1 - 2 * first);
    return { p, q: BigInt(2 * first + 1) * square, t: p };
  }
  const middle = (first + end) >> 1;
  const left = partialSum(first, middle, square);
  const right = partialSum(middle, end, square);
  return { p: left.p * right.p, q: left.q * right.q, t: left.t * right.q + left.p * right.t };
}

/** Base 64 with the letters of bcrypt, without padding. */
function encode(bytes: Buffer): string {
  let text = '';
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += ALPHABET[(pair >> (10 - (bit & 7))) & 63] ?? '';
  }
  return text;
}

function decode(text: string): Buffer {
  const out = Buffer.alloc((text.length * 6) >> 3);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = ((held << 6) | ALPHABET.indexOf(letter)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (held >> bits) & 255;
  }
  return out;
}
