import { type DeepReadonly, type KubeObject, keyOf } from '../../api/object.ts';
import type { Lister } from '../../client/client.ts';

/**
 * A lister that knows of its user's own writes before the informer does. Binding writes the same objects several times in a
 * row, and acting on an older state would undo or repeat it.
 */
export class Latest<T> {
  readonly #lister: Lister<T>;
  readonly #written = new Map<string, DeepReadonly<T>>();

  constructor(lister: Lister<T>) {
    this.#lister = lister;
  }

  get(key: string): DeepReadonly<T> | undefined {
    const seen = this.#lister.get(key);
    const own = this.#written.get(key);
    if (own === undefined) return seen;
    if (seen !== undefined && versionOf(own) > versionOf(seen)) return own;
    this.#written.delete(key);
    return seen;
  }

  *list(): Iterable<DeepReadonly<T>> {
    for (const object of this.#lister.list()) yield this.get(keyOf(object as DeepReadonly<KubeObject>)) ?? object;
  }

  note(object: DeepReadonly<T>): DeepReadonly<T> {
    this.#written.set(keyOf(object as DeepReadonly<KubeObject>), object);
    return object;
  }
}

function versionOf(object: unknown): number {
  return Number((object as DeepReadonly<KubeObject>).metadata.resourceVersion);
}
