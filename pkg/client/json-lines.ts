/** Splits a byte stream into the JSON values of its lines; a line may come in any number of pieces. */
export class JSONLines {
  #pieces: Uint8Array[] = [];

  /** The values that `chunk` completes. Throws SyntaxError for a line that is not JSON. */
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
