import { type DeepReadonly, type KubeObject, keyOf, type ResourceType } from '../../api/object.ts';
import { abortable } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';

export interface ObjectCacheDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An object that this pod uses has changed. */
type Changed = (podUID: string) => void;

/** The objects that pods of one kubelet refer to. */
export interface PodObjects {
  /** The object as it is now; undefined when there is none. Keeps it watched until the pod is released. */
  get<T>(type: ResourceType<T>, namespace: string, name: string, podUID: string): Promise<DeepReadonly<T> | undefined>;
  release(podUID: string): void;
  /** Releases all pods. */
  close(): void;
}

type AnyObject = DeepReadonly<KubeObject>;

interface Entry {
  /** By pod uid. */
  readonly users: Map<string, Changed>;
  readonly controller: AbortController;
  readonly listed: Promise<void>;
  object: AnyObject | undefined;
}

const FIRST_LIST_TIMEOUT_MS = 10_000;

/**
 * ConfigMaps and Secrets that pods refer to, each watched by itself while a pod uses it: a kubelet may not read others. Kubelets
 * of one process with one identity may share it. Upstream's watch-based manager.
 */
export class ObjectCache {
  readonly #deps: ObjectCacheDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: ObjectCacheDeps) {
    this.#deps = deps;
  }

  /** One kubelet's part. */
  forKubelet(changed: Changed): PodObjects {
    const pods = new Map<string, Set<string>>();
    const release = (podUID: string): void => {
      for (const key of pods.get(podUID) ?? []) this.#release(key, podUID);
      pods.delete(podUID);
    };
    return {
      get: async (type, namespace, name, podUID) => {
        if (name === '') return undefined;
        const key = `${type.resource}/${namespace}/${name}`;
        const keys = pods.get(podUID);
        if (keys === undefined) pods.set(podUID, new Set([key]));
        else keys.add(key);
        return this.#get(type, { key, namespace, name }, podUID, changed);
      },
      release,
      close: () => {
        for (const podUID of [...pods.keys()]) release(podUID);
      },
    };
  }

  async #get<T>(
    type: ResourceType<T>,
    { key, namespace, name }: { readonly key: string; readonly namespace: string; readonly name: string },
    podUID: string,
    changed: Changed,
  ): Promise<DeepReadonly<T> | undefined> {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = this.#watch(type as ResourceType, namespace, name);
      this.#entries.set(key, entry);
    }
    entry.users.set(podUID, changed);
    try {
      await abortable(entry.listed, AbortSignal.timeout(FIRST_LIST_TIMEOUT_MS));
    } catch (error) {
      const message = `failed to sync ${type.kind.toLowerCase()} cache: timed out waiting for the condition`;
      throw new Error(message, { cause: error });
    }
    return entry.object as DeepReadonly<T> | undefined;
  }

  #release(key: string, podUID: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || !entry.users.delete(podUID) || entry.users.size > 0) return;
    entry.controller.abort();
    this.#entries.delete(key);
  }

  #watch(type: ResourceType, namespace: string, name: string): Entry {
    const controller = new AbortController();
    const listed = Promise.withResolvers<void>();
    const entry: Entry = { users: new Map(), controller, listed: listed.promise, object: undefined };
    this.#follow(type, namespace, name, entry, listed.resolve).catch((error: unknown) => {
      this.#deps.logger.error({ err: error, kind: type.kind, namespace, name }, 'watching an object ended');
    });
    return entry;
  }

  async #follow(type: ResourceType, namespace: string, name: string, entry: Entry, listed: () => void): Promise<void> {
    const { client, clock, logger } = this.#deps;
    const { signal } = entry.controller;
    const backoff = new Backoff({ initialMs: 200, maxMs: 30_000 });
    const query = { namespace, fieldSelector: `metadata.name=${name}` };
    while (!signal.aborted) {
      try {
        const list = await client.list(type, query, signal);
        this.#set(
          entry,
          list.items.find((item) => keyOf(item) === `${namespace}/${name}`),
        );
        listed();
        backoff.reset();
        const from = { ...query, resourceVersion: list.metadata.resourceVersion };
        for await (const event of client.watch(type, from, signal)) {
          if (event.type === 'BOOKMARK' || event.object.metadata.name !== name) continue;
          this.#set(entry, event.type === 'DELETED' ? undefined : event.object);
        }
      } catch (error) {
        if (signal.aborted) return;
        logger.debug({ err: error, kind: type.kind, namespace, name }, 'watch broke; listing again');
      }
      await clock.sleep(backoff.next(), signal);
    }
  }

  #set(entry: Entry, object: AnyObject | undefined): void {
    const changed = entry.object?.metadata.resourceVersion !== object?.metadata.resourceVersion;
    entry.object = object;
    if (!changed) return;
    for (const [podUID, tell] of entry.users) tell(podUID);
  }
}
