import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoCode } from '../../base/errors.ts';

/** A small file that is replaced as a whole, and read once when the kubelet starts. */
export class CheckpointFile {
  readonly path: string;
  #written: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Undefined: there is none. */
  async read(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** One write after the other; `text` is asked when its turn comes, so that the last one has the latest. */
  write(text: () => string): Promise<void> {
    const writing = this.#written.then(() => this.#replace(text()));
    this.#written = writing.catch(() => {});
    return writing;
  }

  async #replace(text: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o750 });
    await writeFile(`${this.path}.new`, text, { mode: 0o600 });
    await rename(`${this.path}.new`, this.path);
  }
}
