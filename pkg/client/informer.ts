import { isStatusError } from '../api/errors.ts';
import { type DeepReadonly, type KubeObject, keyOf, type ResourceType } from '../api/object.ts';
import { abortable } from '../base/abort.ts';
import { Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, Informer, InformerHandler, InformerOptions, Lister, ListQuery, WatchEvent } from './client.ts';
import { NotServedError } from './not-served.ts';
import { ObjectStore } from './object-store.ts';

export interface InformerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1): spreads the ends of watches over time. */
  readonly random: () => number;
}

/** Marks the bookmark that ends the initial events of a watch. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const LIST_PAGE = 500;

/**
 * Keeps a store equal to what the server has: lists, then watches from the list's version, and lists again only when
 * the version has expired. In-process the initial state comes with the watch. Corresponds to client-go's reflector and
 * shared informer in one.
 */
export class LiveInformer<T> implements Informer<T> {
  readonly #type: ResourceType<T>;
  readonly #query: ListQuery;
  readonly #deps: InformerDeps;
  readonly #store = new ObjectStore<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #firstSync = Promise.withResolvers<void>();
  readonly #unserved = Promise.withResolvers<void>();
  #synced = false;
  /** Where to go on watching; undefined when a list is needed first. */
  #version: string | undefined;

  constructor(type: ResourceType<T>, options: InformerOptions<T>, deps: InformerDeps) {
    this.#type = type;
    const { indexers, ...query } = options;
    this.#query = query;
    this.#deps = deps;
    this.#store.addIndexers(indexers);
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#synced;
  }

  addIndexers(indexers: InformerOptions<T>['indexers']): void {
    this.#store.addIndexers(indexers);
  }

  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    if (handler.onAdd !== undefined) {
      for (const object of this.#store.list()) this.#guard(() => handler.onAdd?.(object));
    }
    return () => this.#handlers.delete(handler);
  }

  async synced(signal: AbortSignal): Promise<void> {
    if (!this.#synced) await abortable(this.#firstSync.promise, signal);
  }

  async syncedIfServed(signal: AbortSignal): Promise<void> {
    if (this.#synced) return;
    const isServed = Promise.race([this.#firstSync.promise.then(() => true), this.#unserved.promise.then(() => false)]);
    if (!(await abortable(isServed, signal))) throw new NotServedError(this.#type);
  }

  /** Follows the server until `signal` aborts; failures are logged and tried again with back-off. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initialMs: this.#deps.client.inProcess ? 50 : 800, maxMs: 30_000 });
    while (!signal.aborted) {
      const before = this.#version;
      try {
        if (this.#deps.client.inProcess) await this.#watchInProcess(signal);
        else await this.#listAndWatch(signal);
        if (this.#version !== before) backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        // Lists and watches find nothing only where the kind itself is unknown; another process's server may still begin.
        if (this.#deps.client.inProcess && isStatusError(error, 'NotFound')) this.#unserved.resolve();
        if (isStatusError(error, 'Expired') || isStatusError(error, 'Gone')) {
          this.#version = undefined;
          if (backoff.failures === 0) {
            backoff.next();
            continue;
          }
        } else if (this.#version !== before) {
          // It got on before it broke: this is the first failure.
          backoff.reset();
        }
        this.#deps.logger.warn({ err: error, resource: this.#type.resource, group: this.#type.group }, 'watch failed');
      }
      if (signal.aborted) return;
      await this.#deps.clock.sleep(backoff.next() * (1 + this.#deps.random()), signal);
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    if (this.#version === undefined) await this.#list(signal);
    const version = this.#version;
    const events = this.#deps.client.watch(
      this.#type,
      {
        ...this.#query,
        allowWatchBookmarks: true,
        timeoutSeconds: Math.round(300 * (1 + this.#deps.random())),
        ...(version === undefined ? {} : { resourceVersion: version }),
      },
      signal,
    );
    for await (const event of events) this.#apply(event);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const objects = new Map<string, DeepReadonly<T>>();
    let next: string | undefined;
    let version: string | undefined;
    do {
      const page = await this.#deps.client.list(
        this.#type,
        { ...this.#query, ...(next === undefined ? { resourceVersion: '0' } : { continue: next, limit: LIST_PAGE }) },
        signal,
      );
      for (const object of page.items) objects.set(keyOf(object as DeepReadonly<KubeObject>), object);
      version ??= page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    this.#replace(objects);
    this.#version = version;
  }

  async #watchInProcess(signal: AbortSignal): Promise<void> {
    let initial: Map<string, DeepReadonly<T>> | undefined;
    const version = this.#version;
    if (version === undefined) initial = new Map();
    const events = this.#deps.client.watch(
      this.#type,
      {
        ...this.#query,
        allowWatchBookmarks: true,
        ...(version === undefined
          ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
          : { resourceVersion: version }),
      },
      signal,
    );
    for await (const event of events) {
      if (initial === undefined) {
        this.#apply(event);
      } else if (event.type !== 'BOOKMARK') {
        const key = keyOf(event.object as DeepReadonly<KubeObject>);
        if (event.type === 'DELETED') initial.delete(key);
        else initial.set(key, event.object);
      } else if (event.object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
        this.#replace(initial);
        initial = undefined;
        this.#version = event.object.metadata.resourceVersion;
      }
    }
  }

  #apply(event: WatchEvent<T>): void {
    const { metadata } = event.object as DeepReadonly<KubeObject>;
    if (event.type === 'DELETED') this.#remove(keyOf(event.object as DeepReadonly<KubeObject>), event.object);
    else if (event.type !== 'BOOKMARK') this.#put(event.object);
    this.#version = metadata.resourceVersion;
  }

  #replace(objects: ReadonlyMap<string, DeepReadonly<T>>): void {
    for (const key of [...this.#store.keys()]) if (!objects.has(key)) this.#remove(key);
    for (const object of objects.values()) this.#put(object);
    if (this.#synced) return;
    this.#synced = true;
    this.#firstSync.resolve();
  }

  #put(object: DeepReadonly<T>): void {
    const old = this.#store.set(object);
    if (old === undefined) {
      for (const handler of this.#handlers) this.#guard(() => handler.onAdd?.(object));
      return;
    }
    const before = (old as DeepReadonly<KubeObject>).metadata;
    const after = (object as DeepReadonly<KubeObject>).metadata;
    if (before.resourceVersion === after.resourceVersion) return;
    if (before.uid !== after.uid) {
      // Deleted and created again while nobody was watching.
      for (const handler of this.#handlers) this.#guard(() => handler.onDelete?.(old));
      for (const handler of this.#handlers) this.#guard(() => handler.onAdd?.(object));
      return;
    }
    for (const handler of this.#handlers) this.#guard(() => handler.onUpdate?.(object, old));
  }

  #remove(key: string, last?: DeepReadonly<T>): void {
    const old = this.#store.delete(key);
    if (old === undefined) return;
    for (const handler of this.#handlers) this.#guard(() => handler.onDelete?.(last ?? old));
  }

  /** One handler's failure is no other's. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#deps.logger.error({ err: error, resource: this.#type.resource }, 'informer handler failed');
    }
  }
}
