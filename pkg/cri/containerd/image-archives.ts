import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { errnoCode } from '../../base/errors.ts';
import { type Exec, execOutput } from '../../base/exec.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { ImageService } from '../runtime.ts';
import { CRI_NAMESPACE } from './events.ts';

export interface ImageArchivesOptions {
  readonly socketPath: string;
  /** Path of `ctr`. */
  readonly ctrPath: string;
  /** Asked when an image is imported (see ContainerdSupervisor.snapshotter). Default: overlayfs. */
  readonly snapshotter?: () => string;
  /** Directories of image archives (OCI or docker tar, plain or compressed), in order. A missing one is empty. */
  readonly directories: readonly string[];
  /** Where it is noted which archives were imported already. */
  readonly recordPath: string;
}

export interface ImageArchivesDeps {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly images: ImageService;
}

interface ArchiveRecord {
  readonly size: number;
  readonly mtimeMs: number;
  readonly names: readonly string[];
}

const VISIBLE_TIMEOUT_MS = 10_000;

/**
 * Loads image archives at start; ready when CRI sees all of their images. A broken archive is logged and left out. An image that is
 * no longer there later on (it was removed from a full disk, or was damaged) is loaded again when it is asked for.
 */
export class ImageArchives implements Component {
  readonly name = 'image-archives';
  readonly #options: ImageArchivesOptions;
  readonly #deps: ImageArchivesDeps;
  /** By path. */
  #records: Readonly<Record<string, ArchiveRecord>> = {};
  readonly #restoring = new Map<string, Promise<unknown>>();
  #running: AbortSignal | undefined;

  constructor(options: ImageArchivesOptions, deps: ImageArchivesDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#running = signal;
    await this.load(signal);
    ready();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Imports what is new or no longer in the store. */
  async load(signal: AbortSignal): Promise<void> {
    const records = await this.#readRecords();
    const kept: Record<string, ArchiveRecord> = {};
    for (const path of await this.#archives()) {
      if (signal.aborted) return;
      const { size, mtimeMs } = await stat(path);
      const old = records[path];
      if (old !== undefined && old.size === size && old.mtimeMs === mtimeMs && (await this.#present(old.names))) {
        kept[path] = old;
        continue;
      }
      try {
        const names = await this.#import(path, signal);
        kept[path] = { size, mtimeMs, names };
        this.#deps.logger.info({ path, images: names }, 'image archive imported');
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.logger.error({ path, err: error }, 'image archive cannot be imported');
      }
    }
    this.#records = kept;
    await writeFile(`${this.#options.recordPath}.new`, JSON.stringify(kept));
    await rename(`${this.#options.recordPath}.new`, this.#options.recordPath);
  }

  /** Loads the archive that has an image of this (full) name; false when none has. */
  async restore(name: string, signal: AbortSignal): Promise<boolean> {
    if (this.#running === undefined) return false;
    const found = Object.entries(this.#records).find(([, { names }]) => names.includes(name));
    if (found === undefined) return false;
    const [path] = found;
    let restoring = this.#restoring.get(path);
    if (restoring === undefined) {
      // Not ended by who asked first: others may wait for it too.
      restoring = this.#import(path, this.#running).finally(() => this.#restoring.delete(path));
      this.#restoring.set(path, restoring);
    }
    try {
      await abortable(restoring, signal);
      this.#deps.logger.info({ path, image: name }, 'image archive imported again');
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.logger.error({ path, err: error }, 'image archive cannot be imported again');
      return false;
    }
  }

  async #archives(): Promise<string[]> {
    const paths: string[] = [];
    for (const directory of this.#options.directories) {
      const names = await readdir(directory).catch((error: unknown) => {
        if (errnoCode(error) === 'ENOENT') return [];
        throw error;
      });
      for (const name of names.sort()) {
        if (/\.(tar|tar\.gz|tgz|tar\.zst)$/.test(name)) paths.push(join(directory, name));
      }
    }
    return paths;
  }

  async #readRecords(): Promise<Record<string, ArchiveRecord>> {
    const text = await readFile(this.#options.recordPath, 'utf8').catch(() => '{}');
    try {
      return JSON.parse(text) as Record<string, ArchiveRecord>;
    } catch {
      return {};
    }
  }

  async #present(names: readonly string[]): Promise<boolean> {
    for (const name of names) if ((await this.#deps.images.imageStatus(name)) === undefined) return false;
    return true;
  }

  async #import(path: string, signal: AbortSignal): Promise<string[]> {
    const { ctrPath, socketPath, snapshotter } = this.#options;
    const ctr = ['--address', socketPath, '--namespace', CRI_NAMESPACE];
    const args = [...ctr, 'images', 'import', '--snapshotter', snapshotter?.() ?? 'overlayfs', path];
    const output = await execOutput(this.#deps.exec, ctrPath, args, { signal });
    const names = importedNames(output);
    const deadline = this.#deps.clock.monotonic() + VISIBLE_TIMEOUT_MS;
    while (!(await this.#present(names))) {
      if (this.#deps.clock.monotonic() > deadline) throw new Error('imported images do not appear in the runtime');
      await this.#deps.clock.sleep(20, signal);
      signal.throwIfAborted();
    }
    return names;
  }
}

/** The names in what `ctr images import` prints: `unpacking NAME (sha256:...)...done`. */
export function importedNames(output: string): string[] {
  return [...output.matchAll(/^unpacking (\S+) \(/gm)].map((match) => match[1] ?? '');
}
