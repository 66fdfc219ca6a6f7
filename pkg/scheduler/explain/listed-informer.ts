import type { ResourceType } from '../../api/object.ts';
import { type DeepReadonly, type KubeObject, keyOf } from '../../api/object.ts';
import type { Client, Informer, InformerHandler, Lister } from '../../client/index.ts';

/** What the API server has at one moment, in the form in which plugins look at it. Throws what the API server says. */
export async function listedInformer<T>(
  client: Client,
  type: ResourceType<T>,
  signal: AbortSignal,
): Promise<Informer<T>> {
  const { items } = await client.list(type, { resourceVersion: '0' }, signal);
  const lister = new ListedObjects<T>(items);
  return {
    lister,
    hasSynced: true,
    synced: async () => {},
    syncedIfServed: async () => {},
    addHandler(handler: InformerHandler<T>) {
      for (const object of lister.list()) handler.onAdd?.(object);
      return () => {};
    },
  };
}

class ListedObjects<T> implements Lister<T> {
  readonly #objects: ReadonlyMap<string, DeepReadonly<T>>;

  constructor(items: readonly DeepReadonly<T>[]) {
    this.#objects = new Map(items.map((item) => [keyOf(item as DeepReadonly<KubeObject>), item]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): DeepReadonly<T> | undefined {
    return this.#objects.get(key);
  }

  *list(namespace = ''): Iterable<DeepReadonly<T>> {
    for (const [key, object] of this.#objects) if (namespace === '' || key.startsWith(`${namespace}/`)) yield object;
  }

  byIndex(index: string): readonly DeepReadonly<T>[] {
    throw new Error(`no index named ${index}`);
  }
}
