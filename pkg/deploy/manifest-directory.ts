import { watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { errnoCode } from '../base/errors.ts';
import type { Manifest } from './manifest.ts';

/** Where manifests come from; the directory of the user, or a fake in tests. */
export interface ManifestSource {
  read(): Promise<Manifest[]>;
  /** Calls `changed` after changes (perhaps several times for one) until `signal` aborts. */
  watch(changed: () => void, signal: AbortSignal): void;
}

/** The `.yaml`, `.yml` and `.json` files of a directory and those below it, in the order of their names. */
export class ManifestDirectory implements ManifestSource {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<Manifest[]> {
    await mkdir(this.#path, { recursive: true });
    const entries = await readdir(this.#path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => !entry.isDirectory() && /^[^.].*\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    const manifests = await Promise.all(
      files.map(async (file) => {
        try {
          return { name: relative(this.#path, file), text: await readFile(file, 'utf8') };
        } catch (error) {
          if (errnoCode(error) === 'ENOENT') return undefined;
          throw error;
        }
      }),
    );
    return manifests.filter((manifest) => manifest !== undefined);
  }

  watch(changed: () => void, signal: AbortSignal): void {
    const watcher = watch(this.#path, { recursive: true, persistent: false, signal });
    watcher.on('change', changed);
    // The directory itself was removed: the next read makes it anew.
    watcher.on('error', changed);
  }
}
