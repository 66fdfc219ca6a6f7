import type { Framing } from './framing.ts';
import { HeaderFields, parseFields } from './header-fields.ts';

const MAX_SIZE_LINE = 256;
const MAX_TRAILER_BYTES = 8 * 1024;
const SIZE_LINE = /^([\dA-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;
const LF = 0x0a;
const NOTHING = HeaderFields.of([]);

/** Thrown for a body that is not framed as it says. */
export class MalformedBody extends Error {
  constructor() {
    super('the body is not framed as its head says');
  }
}

/** Takes a body out of the bytes of a connection. */
export class BodyDecoder {
  readonly #framing: Framing;
  /** Bytes until the body's end, or until the chunk's. */
  #left: number;
  #part: 'data' | 'after-data' | 'size' | 'trailers';
  #line = '';
  #done: boolean;
  trailers: HeaderFields = NOTHING;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#left = typeof framing === 'number' ? framing : 0;
    this.#part = framing === 'chunked' ? 'size' : 'data';
    this.#done = framing === 0;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Hands on what belongs to the body, in parts; returns how many bytes it took. Throws MalformedBody. */
  push(chunk: Buffer, onData: (part: Buffer) => void): number {
    if (this.#framing === 'until-close') {
      onData(chunk);
      return chunk.length;
    }
    let at = 0;
    while (!this.#done && at < chunk.length)
      at = this.#part === 'data' ? this.#takeData(chunk, at, onData) : this.#takeLine(chunk, at);
    return at;
  }

  #takeData(chunk: Buffer, at: number, onData: (part: Buffer) => void): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) {
      if (this.#framing === 'chunked') this.#part = 'after-data';
      else this.#done = true;
    }
    onData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    return end;
  }

  #takeLine(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(LF, at);
    const end = found < 0 ? chunk.length : found + 1;
    this.#line += chunk.toString('latin1', at, end);
    if (this.#line.length > (this.#part === 'trailers' ? MAX_TRAILER_BYTES : MAX_SIZE_LINE)) throw new MalformedBody();
    if (found >= 0) this.#lineEnds();
    return end;
  }

  #lineEnds(): void {
    const line = this.#line;
    if (!line.endsWith('\r\n')) throw new MalformedBody();
    if (this.#part === 'trailers') {
      if (line !== '\r\n' && !line.endsWith('\r\n\r\n')) return;
      const trailers = parseFields(line.slice(0, -2).replace(/\r\n$/, ''), 0);
      if (trailers === undefined) throw new MalformedBody();
      this.trailers = trailers;
      this.#done = true;
    } else if (this.#part === 'after-data') {
      if (line !== '\r\n') throw new MalformedBody();
      this.#part = 'size';
    } else {
      const size = SIZE_LINE.exec(line.slice(0, -2))?.[1];
      if (size === undefined) throw new MalformedBody();
      this.#left = Number.parseInt(size, 16);
      this.#part = this.#left === 0 ? 'trailers' : 'data';
    }
    this.#line = '';
  }
}
