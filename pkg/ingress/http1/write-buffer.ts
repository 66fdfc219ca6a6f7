import type { Writable } from 'node:stream';

/** Up to here a copy costs less than a write of its own. */
const SMALL_BYTES = 16 * 1024;

/** Puts small pieces together, so that they leave in one write. */
export class WriteBuffer {
  readonly #stream: Writable;
  #text = '';

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Adds Latin-1 text. */
  addText(text: string): void {
    this.#text += text;
  }

  addData(part: Buffer): void {
    if (part.length <= SMALL_BYTES) {
      this.#text += part.toString('latin1');
      return;
    }
    this.#stream.cork();
    this.flush();
    this.#stream.write(part);
    this.#stream.uncork();
  }

  flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#stream.write(text, 'latin1');
  }

  /** True: wait for `drain`. */
  get needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** Adds a chunk of a chunked body. */
  addChunk(part: Buffer): void {
    this.#text += `${part.length.toString(16)}\r\n`;
    this.addData(part);
    this.#text += '\r\n';
  }
}
