import type { ResourceDefinition } from '../../api/definition.ts';
import type { DeepReadonly, KubeObject, ObjectKey, ResourceType } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Store, StoreEvent } from '../../storage/contract.ts';
import type { ObjectReader } from '../contract.ts';
import { type Entry, entryOf } from './entry.ts';
import { ResourceCache } from './resource-cache.ts';

export const REGISTRY_PREFIX = '/registry/';
const LOAD_PAGE = 2000;

export interface WatchCacheDeps {
  readonly store: Store;
}

/** `/registry/pods/`, `/registry/apps/deployments/`: below it `namespace/name` or `name`. */
export function storagePrefix(type: ResourceType): string {
  return type.group === ''
    ? `${REGISTRY_PREFIX}${type.resource}/`
    : `${REGISTRY_PREFIX}${type.group}/${type.resource}/`;
}

export function storageKey(type: ResourceType, namespace: string, name: string): string {
  return type.namespaced ? `${storagePrefix(type)}${namespace}/${name}` : storagePrefix(type) + name;
}

export type CacheOptions = Pick<ResourceCache['options'], 'indexedField' | 'parsedOnDemand'>;

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/**
 * All resources of the store, kept current by one watch over everything. Corresponds to upstream's cacher, with one revision
 * for the whole cache: what is visible of one resource is as new as what is visible of another.
 */
export class WatchCache implements Component, ObjectReader {
  readonly name = 'watch-cache';
  readonly #store: Store;
  readonly #caches = new Map<string, ResourceCache>();
  /** What `cacheOf` has found. */
  #found = new WeakMap<ResourceType, ResourceCache>();
  readonly #written = new WeakMap<Uint8Array, KubeObject>();
  readonly #waiters: Waiter[] = [];
  /** Events of resources that are being added while the cache runs. */
  readonly #loading = new Map<ResourceCache, StoreEvent[]>();
  readonly #progress = new Set<(revision: number) => void>();
  #revision = 0;
  #running = false;

  constructor(deps: WatchCacheDeps) {
    this.#store = deps.store;
  }

  /** Everything up to this revision is visible. */
  get revision(): number {
    return this.#revision;
  }

  /** A resource to cache from the start. */
  declare(type: ResourceType, options: CacheOptions = {}): void {
    const prefix = storagePrefix(type);
    if (this.#caches.has(prefix)) return;
    this.#caches.set(prefix, new ResourceCache({ prefix, namespaced: type.namespaced, ...options }));
  }

  /** Starts caching a stored resource; at run time the promise resolves when it is loaded. */
  async add(type: ResourceType, options: CacheOptions = {}): Promise<void> {
    const prefix = storagePrefix(type);
    if (this.#caches.has(prefix)) return;
    this.declare(type, options);
    if (!this.#running) return;
    const cache = this.cacheOf(type);
    const events: StoreEvent[] = [];
    this.#loading.set(cache, events);
    const { items, revision } = await this.#store.list({ prefix });
    for (const item of items) cache.load(entryOf(item.value, item.modRevision));
    cache.loaded(revision);
    this.#loading.delete(cache);
    for (const event of events) if (event.revision > revision) this.#apply(cache, event);
    cache.flush(this.#revision);
  }

  remove(type: ResourceType): void {
    this.#caches.delete(storagePrefix(type));
    this.#found = new WeakMap();
  }

  /** The cache of what is stored under this type, which must be there. */
  cacheOf(type: ResourceType): ResourceCache {
    const cache = this.find(type);
    if (cache === undefined) throw new Error(`${type.resource}.${type.group} is not cached`);
    return cache;
  }

  find(type: ResourceType): ResourceCache | undefined {
    const found = this.#found.get(type);
    if (found !== undefined) return found;
    const cache = this.#caches.get(storagePrefix(type));
    if (cache !== undefined) this.#found.set(type, cache);
    return cache;
  }

  /** Remembers the parsed form of a value on its way into the store, so that it needs no parsing when it comes back. */
  expect(value: Uint8Array, object: KubeObject): void {
    this.#written.set(value, object);
  }

  /** Resolves when everything up to `revision` is visible, or when `signal` aborts (check again then). */
  waitFor(revision: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#revision >= revision || signal?.aborted === true) return undefined;
    return new Promise((resolve) => {
      const waiter = { revision, resolve };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Waits until everything that is committed now is visible. */
  current(): Promise<void> | undefined {
    return this.waitFor(this.#store.revision());
  }

  /** Called whenever `revision` has grown. */
  onProgress(listener: (revision: number) => void): () => void {
    this.#progress.add(listener);
    return () => this.#progress.delete(listener);
  }

  get<T>(type: ResourceType<T>, key: ObjectKey): DeepReadonly<T> | undefined {
    return this.cacheOf(type as ResourceType).get(type.namespaced ? (key.namespace ?? '') : '', key.name)?.object as
      | DeepReadonly<T>
      | undefined;
  }

  *list<T>(type: ResourceType<T>, namespace?: string): Generator<DeepReadonly<T>> {
    const cache = this.cacheOf(type as ResourceType);
    for (const entry of cache.entries(namespace === '' ? undefined : namespace)) yield entry.object as DeepReadonly<T>;
  }

  onChange<T>(
    type: ResourceType<T>,
    listener: (object: DeepReadonly<T>, change: 'ADDED' | 'MODIFIED' | 'DELETED') => void,
  ): () => void {
    return this.cacheOf(type as ResourceType).onChange((object, change) => listener(object as DeepReadonly<T>, change));
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const revision = await this.#load();
    this.#running = true;
    const batches = this.#store.watch(
      { prefix: REGISTRY_PREFIX, fromRevision: revision + 1, withProgress: true },
      signal,
    );
    this.#advance(revision);
    ready();
    for await (const batch of batches) {
      const touched = new Set<ResourceCache>();
      for (const event of batch.events) {
        const cache = this.#cacheForKey(event.key);
        if (cache === undefined) continue;
        const held = this.#loading.get(cache);
        if (held !== undefined) held.push(event);
        else {
          this.#apply(cache, event);
          touched.add(cache);
        }
      }
      this.#revision = batch.revision;
      for (const cache of touched) cache.flush(batch.revision);
      this.#advance(batch.revision);
    }
  }

  async #load(): Promise<number> {
    let startKey: string | undefined;
    let revision: number | undefined;
    for (;;) {
      const page = await this.#store.list({
        prefix: REGISTRY_PREFIX,
        limit: LOAD_PAGE,
        ...(startKey === undefined ? {} : { startKey }),
        ...(revision === undefined ? {} : { revision }),
      });
      revision = page.revision;
      for (const item of page.items) this.#cacheForKey(item.key)?.load(entryOf(item.value, item.modRevision));
      const last = page.items.at(-1);
      if (!page.more || last === undefined) break;
      startKey = `${last.key}\u0000`;
    }
    for (const cache of this.#caches.values()) cache.loaded(revision);
    return revision;
  }

  #apply(cache: ResourceCache, event: StoreEvent): void {
    const key = event.key.slice(cache.options.prefix.length);
    const slash = cache.options.namespaced ? key.indexOf('/') : -1;
    const namespace = slash < 0 ? '' : key.slice(0, slash);
    const name = key.slice(slash + 1);
    const entry: Entry | undefined =
      event.type === 'put' ? entryOf(event.value, event.revision, this.#written.get(event.value)) : undefined;
    cache.apply(namespace, name, entry, event.revision);
  }

  #cacheForKey(key: string): ResourceCache | undefined {
    const first = key.indexOf('/', REGISTRY_PREFIX.length);
    const core = this.#caches.get(key.slice(0, first + 1));
    if (core !== undefined || first < 0) return core;
    return this.#caches.get(key.slice(0, key.indexOf('/', first + 1) + 1));
  }

  #advance(revision: number): void {
    this.#revision = revision;
    let kept = 0;
    for (const waiter of this.#waiters) {
      if (waiter.revision <= revision) waiter.resolve();
      else this.#waiters[kept++] = waiter;
    }
    this.#waiters.length = kept;
    for (const listener of this.#progress) listener(revision);
  }
}

/** The resource under which objects of a definition are stored. */
export function storedType(definition: ResourceDefinition): ResourceType {
  return definition.storedAs?.type ?? definition.type;
}
