import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '../../base/clock.ts';

export interface RotationOptions {
  readonly path: string;
  /** The file is put aside before it grows beyond this; 0: never. */
  readonly maxBytes: number;
  /** Files put aside longer ago are removed; 0: never. */
  readonly maxAgeMs: number;
  /** How many files put aside are kept; 0: all. */
  readonly maxBackups: number;
  /** Files put aside are compressed to `NAME.gz`. */
  readonly compress: boolean;
}

/** A file that is appended to and put aside as `NAME-2026-01-02T15-04-05.000.log` when it is full (as lumberjack names them). */
export class RotatingFile {
  readonly #options: RotationOptions;
  readonly #clock: Clock;
  #file: FileHandle | undefined;
  #bytes = 0;
  /** One file after the other, while new events are written. */
  #compressing: Promise<void> = Promise.resolve();

  constructor(options: RotationOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Rejects with the system error; the next call tries again with a newly opened file. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { maxBytes } = this.#options;
    try {
      const file = await this.#open();
      if (maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes.length > maxBytes) {
        await this.#rotate();
        return await this.append(text);
      }
      await file.appendFile(bytes);
      this.#bytes += bytes.length;
    } catch (error) {
      await this.#closeFile();
      throw error;
    }
  }

  /** What is put aside is compressed yet. */
  async close(): Promise<void> {
    await this.#closeFile();
    await this.#compressing;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    if (this.#file === undefined) {
      const { path } = this.#options;
      await mkdir(dirname(path), { recursive: true });
      // Whoever reads audit events reads secrets.
      this.#file = await open(path, 'a', 0o600);
      this.#bytes = (await this.#file.stat()).size;
    }
    return this.#file;
  }

  async #rotate(): Promise<void> {
    await this.#closeFile();
    const { path } = this.#options;
    const extension = extname(path);
    const time = new Date(this.#clock.now()).toISOString().slice(0, 23).replaceAll(':', '-');
    const prefix = `${basename(path, extension)}-`;
    const aside = join(dirname(path), `${prefix}${time}${extension}`);
    await rename(path, aside);
    if (this.#options.compress) this.#compressing = this.#compressing.then(() => compress(aside));
    await this.#prune(prefix, extension);
  }

  async #prune(prefix: string, extension: string): Promise<void> {
    const { path, maxAgeMs, maxBackups } = this.#options;
    const form = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}$/;
    const times = (await readdir(dirname(path)))
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length).replace(/\.gz$/, ''))
      .filter((name) => name.endsWith(extension))
      .map((name) => name.slice(0, name.length - extension.length))
      .filter((time, index, all) => form.test(time) && all.indexOf(time) === index)
      .sort()
      .reverse();
    const oldest = maxAgeMs > 0 ? new Date(this.#clock.now() - maxAgeMs).toISOString().replaceAll(':', '-') : '';
    for (const [index, time] of times.entries()) {
      if (!(maxBackups > 0 && index >= maxBackups) && time >= oldest) continue;
      const aside = join(dirname(path), `${prefix}${time}${extension}`);
      for (const file of [aside, `${aside}.gz`]) await rm(file, { force: true });
    }
  }
}

/** A file that cannot be compressed, or is gone by then, stays as it is. */
async function compress(file: string): Promise<void> {
  const compressed = `${file}.gz`;
  try {
    await pipeline(createReadStream(file), createGzip(), createWriteStream(compressed, { mode: 0o600 }));
    await rm(file, { force: true });
  } catch {
    await rm(compressed, { force: true });
  }
}
