import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOf } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Pod } from '../types.ts';
import { manifestObjects, StaticPodError, staticPod } from './static-pod.ts';

export interface StaticPodsOptions {
  readonly directory: string;
  readonly nodeName: string;
}

export interface StaticPodsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The whole set, each time it changes. */
  readonly changed: (pods: readonly Pod[]) => void;
}

/** Editors write in several steps: look when it has been quiet this long. */
const SETTLE_MS = 100;
/** Upstream's. */
const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;

/** Pods from the manifest files of a directory, whatever their names but for hidden ones. Ready when the directory has been read once. */
export class StaticPods implements Component {
  readonly name = 'static-pods';
  readonly #options: StaticPodsOptions;
  readonly #deps: StaticPodsDeps;
  #cancel: () => void = () => {};
  readonly #seen = new Map<string, number>();

  constructor(options: StaticPodsOptions, deps: StaticPodsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true });
    const watcher: FSWatcher = watch(directory, () => this.#later());
    try {
      await this.#read();
      ready();
      await new Promise<void>((resolve, reject) => {
        watcher.on('error', reject);
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      watcher.close();
      this.#cancel();
    }
  }

  #later(): void {
    this.#cancel();
    this.#cancel = this.#deps.clock.after(SETTLE_MS, () => {
      this.#read().catch((error: unknown) =>
        this.#deps.logger.error({ err: error }, 'static pod manifests cannot be read'),
      );
    });
  }

  async #read(): Promise<void> {
    const { directory } = this.#options;
    // Of two manifests of one pod the last one counts.
    const pods = new Map<string, Pod>();
    for (const name of (await readdir(directory)).sort()) {
      if (name.startsWith('.')) continue;
      const path = join(directory, name);
      try {
        for (const pod of await this.#podsOf(path)) pods.set(keyOf(pod), pod);
      } catch (error) {
        this.#deps.logger.error({ err: error, path }, 'static pod manifest is not valid');
      }
    }
    this.#deps.changed([...pods.values()]);
  }

  async #podsOf(path: string): Promise<Pod[]> {
    const info = await stat(path);
    // Whoever reads a pipe or a device may wait for ever.
    if (!info.isFile()) throw new StaticPodError('not a regular file');
    if (info.size > MAX_MANIFEST_BYTES) throw new StaticPodError(`larger than ${MAX_MANIFEST_BYTES} bytes`);
    return manifestObjects(await readFile(path, 'utf8')).map((manifest) => {
      const nowMs = this.#seenAt(path, manifest);
      return staticPod(manifest, { path, nodeName: this.#options.nodeName, nowMs });
    });
  }

  #seenAt(path: string, manifest: object): number {
    const key = JSON.stringify([path, manifest]);
    const seen = this.#seen.get(key) ?? this.#deps.clock.now();
    this.#seen.set(key, seen);
    return seen;
  }
}
