import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { CONFIG_HASH, CONFIG_SEEN, CONFIG_SOURCE } from '../labels.ts';
import type { Pod } from '../types.ts';

export interface StaticPodsOptions {
  readonly directory: string;
  readonly nodeName: string;
}

export interface StaticPodsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Fills in what a Pod leaves out; throws for one that is not valid. */
  readonly complete: (pod: unknown) => Pod;
  /** The whole set, each time it changes. */
  readonly changed: (pods: readonly Pod[]) => void;
}

/** Editors write in several steps: look when it has been quiet this long. */
const SETTLE_MS = 100;

/** Pods from the manifest files (YAML or JSON) of a directory. Ready when the directory has been read once. */
export class StaticPods implements Component {
  readonly name = 'static-pods';
  readonly #options: StaticPodsOptions;
  readonly #deps: StaticPodsDeps;
  #cancel: () => void = () => {};
  readonly #seen = new Map<string, string>();

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
    const { directory, nodeName } = this.#options;
    const pods = new Map<string, Pod>();
    for (const name of (await readdir(directory)).sort()) {
      if (name.startsWith('.') || !/\.(ya?ml|json)$/.test(name)) continue;
      const path = join(directory, name);
      try {
        for (const pod of manifestPods(await readFile(path, 'utf8'))) {
          const complete = this.#deps.complete(staticPod(pod, path, nodeName, this.#seenAt(pod)));
          pods.set(complete.metadata.uid, complete);
        }
      } catch (error) {
        this.#deps.logger.error({ err: error, path }, 'static pod manifest is not valid');
      }
    }
    this.#deps.changed([...pods.values()]);
  }

  #seenAt(pod: object): string {
    const key = JSON.stringify(pod);
    const seen = this.#seen.get(key) ?? new Date(this.#deps.clock.now()).toISOString();
    this.#seen.set(key, seen);
    return seen;
  }
}

/** The Pod objects of a manifest. Throws when it is no YAML or holds anything but Pods. */
export function manifestPods(text: string): Record<string, unknown>[] {
  const pods: Record<string, unknown>[] = [];
  for (const document of parseAllDocuments(text)) {
    if ('errors' in document && document.errors[0] !== undefined) throw document.errors[0];
    const object: unknown = 'toJS' in document ? document.toJS() : undefined;
    if (object === null || object === undefined) continue;
    if (typeof object !== 'object' || (object as { kind?: unknown }).kind !== 'Pod')
      throw new Error('a manifest must hold Pods only');
    pods.push(object as Record<string, unknown>);
  }
  return pods;
}

/** A manifest's pod as this node runs it: name and uid are its own, and its hash tells one version from the next. */
export function staticPod(
  manifest: Record<string, unknown>,
  path: string,
  nodeName: string,
  seen: string,
): Record<string, unknown> {
  const metadata = (manifest['metadata'] ?? {}) as Record<string, unknown>;
  const spec = (manifest['spec'] ?? {}) as Record<string, unknown>;
  const hash = createHash('md5')
    .update(JSON.stringify([manifest, path, nodeName]))
    .digest('hex');
  const tolerations = [...((spec['tolerations'] as unknown[]) ?? []), { operator: 'Exists', effect: 'NoExecute' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: `${metadata['name']}-${nodeName.toLowerCase()}`,
      namespace: metadata['namespace'] ?? 'default',
      uid: hash,
      annotations: {
        ...(metadata['annotations'] as object | undefined),
        [CONFIG_HASH]: hash,
        [CONFIG_SEEN]: seen,
        [CONFIG_SOURCE]: 'file',
      },
    },
    spec: { ...spec, nodeName, tolerations },
    status: {},
  };
}
