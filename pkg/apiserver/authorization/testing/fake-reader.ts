import { keyOf, type ObjectKey, type ResourceType } from '../../../api/object.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { ObjectReader } from '../../contract.ts';

interface AnyObject {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
}

type Listener = (object: never, change: 'ADDED' | 'MODIFIED' | 'DELETED') => void;

/** An ObjectReader over objects that a test puts in; for tests of what reads the watch cache. */
export class FakeReader implements ObjectReader {
  readonly #objects = new Map<string, Map<string, unknown>>();
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Adds or replaces an object. A partial object will do. */
  put<T>(type: ResourceType<T>, object: AnyObject): void {
    const objects = this.#of(type);
    const key = keyOf(object);
    const change = objects.has(key) ? 'MODIFIED' : 'ADDED';
    objects.set(key, object);
    this.#notify(type, object, change);
  }

  remove<T>(type: ResourceType<T>, key: ObjectKey): void {
    const object = this.get(type, key);
    this.#of(type).delete(keyOf({ metadata: key }));
    if (object !== undefined) this.#notify(type, object, 'DELETED');
  }

  get<T>(type: ResourceType<T>, key: ObjectKey): DeepReadonly<T> | undefined {
    return this.#of(type).get(keyOf({ metadata: key })) as DeepReadonly<T> | undefined;
  }

  *list<T>(type: ResourceType<T>, namespace?: string): Iterable<DeepReadonly<T>> {
    for (const object of this.#of(type).values()) {
      if (!namespace || (object as AnyObject).metadata.namespace === namespace) yield object as DeepReadonly<T>;
    }
  }

  onChange<T>(
    type: ResourceType<T>,
    listener: (object: DeepReadonly<T>, change: 'ADDED' | 'MODIFIED' | 'DELETED') => void,
  ): () => void {
    const name = nameOf(type);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener as Listener));
    return () => listeners.delete(listener as Listener);
  }

  #of(type: ResourceType<unknown>): Map<string, unknown> {
    const name = nameOf(type);
    const objects = this.#objects.get(name) ?? new Map();
    this.#objects.set(name, objects);
    return objects;
  }

  #notify(type: ResourceType<unknown>, object: unknown, change: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    for (const listener of this.#listeners.get(nameOf(type)) ?? []) listener(object as never, change);
  }
}

function nameOf(type: ResourceType<unknown>): string {
  return `${type.group}/${type.resource}`;
}
