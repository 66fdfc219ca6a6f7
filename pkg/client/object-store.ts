import { type DeepReadonly, type KubeObject, keyOf } from '../api/object.ts';
import type { InformerOptions, Lister } from './client.ts';

type Indexer<T> = (object: DeepReadonly<T>) => readonly string[];

interface Index<T> {
  readonly indexer: Indexer<T>;
  readonly buckets: Map<string, Map<string, DeepReadonly<T>>>;
  /** Arrays handed out by `byIndex` since the bucket last changed. */
  readonly arrays: Map<string, readonly DeepReadonly<T>[]>;
}

const NONE: readonly never[] = [];

/** An informer's objects by key, with indexes. Objects are references to what the server handed out. */
export class ObjectStore<T> implements Lister<T> {
  readonly #objects = new Map<string, DeepReadonly<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  #namespaces: Index<T> | undefined;

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): DeepReadonly<T> | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): Iterable<DeepReadonly<T>> {
    if (!namespace) return this.#objects.values();
    this.#namespaces ??= this.#build((object) => [(object as DeepReadonly<KubeObject>).metadata.namespace ?? '']);
    return this.#namespaces.buckets.get(namespace)?.values() ?? NONE;
  }

  byIndex(name: string, value: string): readonly DeepReadonly<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index named ${name}`);
    let array = index.arrays.get(value);
    if (array === undefined) {
      const bucket = index.buckets.get(value);
      if (bucket === undefined) return NONE;
      array = [...bucket.values()];
      index.arrays.set(value, array);
    }
    return array;
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  /** Indexers whose name is already taken are left out: the name stands for the function. */
  addIndexers(indexers: InformerOptions<T>['indexers'] = {}): void {
    for (const [name, indexer] of Object.entries(indexers)) {
      if (!this.#indexes.has(name)) this.#indexes.set(name, this.#build(indexer));
    }
  }

  /** Puts an object in and returns the one it replaces. */
  set(object: DeepReadonly<T>): DeepReadonly<T> | undefined {
    const key = keyOf(object as DeepReadonly<KubeObject>);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#all()) reindex(index, key, old, object);
    return old;
  }

  /** Takes an object out and returns it. */
  delete(key: string): DeepReadonly<T> | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#all()) reindex(index, key, old, undefined);
    return old;
  }

  *#all(): Iterable<Index<T>> {
    yield* this.#indexes.values();
    if (this.#namespaces !== undefined) yield this.#namespaces;
  }

  #build(indexer: Indexer<T>): Index<T> {
    const index: Index<T> = { indexer, buckets: new Map(), arrays: new Map() };
    for (const [key, object] of this.#objects) reindex(index, key, undefined, object);
    return index;
  }
}

function reindex<T>(
  index: Index<T>,
  key: string,
  old: DeepReadonly<T> | undefined,
  object: DeepReadonly<T> | undefined,
): void {
  const before = old === undefined ? NONE : index.indexer(old);
  const after = object === undefined ? NONE : index.indexer(object);
  for (const value of before) {
    index.arrays.delete(value);
    if (after.includes(value)) continue;
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
  if (object === undefined) return;
  for (const value of after) {
    index.arrays.delete(value);
    let bucket = index.buckets.get(value);
    if (bucket === undefined) {
      bucket = new Map();
      index.buckets.set(value, bucket);
    }
    bucket.set(key, object);
  }
}
