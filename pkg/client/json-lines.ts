/** Splits a byte stream into the JSON values of its lines; a line may come in any number of pieces. */
export class JSONLines {
  #pieces: Uint8Array[] = [];
  #pending = 0;
  readonly #maxBytes: number;

  /** `maxBytes`: of a line. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  /** The values that `chunk` completes. Throws SyntaxError for a line that is not JSON, RangeError for one that is too long. */
  push(chunk: Uint8Array): unknown[] {
    const values: unknown[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#pieces.push(chunk.subarray(start, end));
      start = end + 1;
      const line = this.#take();
      if (line.length > 0) values.push(JSON.parse(line.toString('utf8')));
    }
    if (start < chunk.length) this.#pieces.push(chunk.subarray(start));
    this.#pending = start > 0 ? chunk.length - start : this.#pending + chunk.length;
    if (this.#pending > this.#maxBytes) throw new RangeError(`a line is longer than ${this.#maxBytes} bytes`);
    return values;
  }

  #take(): Buffer {
    const [only] = this.#pieces;
    const line =
      this.#pieces.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(this.#pieces);
    this.#pieces = [];
    return line;
  }
}
