import type { Filter } from '../selection/filter.ts';
import type { Entry } from './entry.ts';

interface Filtered {
  readonly filter: Filter;
}

/**
 * The watchers of one resource, filed by what their selectors pin: a thousand kubelets, each with the pods of its node and the
 * ConfigMaps that they use, cost an event of one of them nothing. Corresponds to the trigger index of upstream's cacher.
 */
export class Watchers<W extends Filtered> {
  readonly #namespaced: boolean;
  readonly #indexedPath: string | undefined;
  readonly #all = new Set<W>();
  /** Each watcher is in one of these, or in `#others`. */
  readonly #pinned = new Map<string, Set<W>>();
  readonly #others = new Set<W>();

  /** `indexedPath`: the field that `concerned` is told the values of. */
  constructor(options: { readonly namespaced: boolean; readonly indexedPath: string | undefined }) {
    this.#namespaced = options.namespaced;
    this.#indexedPath = options.indexedPath;
  }

  get size(): number {
    return this.#all.size;
  }

  has(watcher: W): boolean {
    return this.#all.has(watcher);
  }

  add(watcher: W): void {
    this.#all.add(watcher);
    const pin = this.#pinOf(watcher.filter);
    if (pin === undefined) {
      this.#others.add(watcher);
      return;
    }
    const same = this.#pinned.get(pin);
    if (same === undefined) this.#pinned.set(pin, new Set([watcher]));
    else same.add(watcher);
  }

  delete(watcher: W): void {
    this.#all.delete(watcher);
    const pin = this.#pinOf(watcher.filter);
    if (pin === undefined) {
      this.#others.delete(watcher);
      return;
    }
    const same = this.#pinned.get(pin);
    if (same?.delete(watcher) === true && same.size === 0) this.#pinned.delete(pin);
  }

  /** Those whose filter may match an object of this name in one of two states, with the values of the indexed field in them. */
  *concerned(
    { namespace, name }: Pick<Entry, 'namespace' | 'name'>,
    values: { readonly before: string | undefined; readonly now: string | undefined },
  ): Generator<W> {
    yield* this.#others;
    if (this.#pinned.size === 0) return;
    yield* this.#pinned.get(namePin(namespace, name)) ?? [];
    yield* this.#pinned.get(namespacePin(namespace)) ?? [];
    const { before, now } = values;
    if (now !== undefined) yield* this.#pinned.get(valuePin(now)) ?? [];
    if (before !== undefined && before !== now) yield* this.#pinned.get(valuePin(before)) ?? [];
  }

  #pinOf({ name, namespace, fields }: Filter): string | undefined {
    if (name !== undefined && (namespace !== undefined || !this.#namespaced)) return namePin(namespace ?? '', name);
    const path = this.#indexedPath;
    const field = path === undefined ? undefined : fields.find((one) => one.equal && one.field === path);
    if (field !== undefined) return valuePin(field.value);
    return namespace === undefined ? undefined : namespacePin(namespace);
  }
}

const namePin = (namespace: string, name: string): string => `${namespace}/${name}`;
const namespacePin = (namespace: string): string => `${namespace}/`;
/** Neither a namespace nor a name has this sign. */
const valuePin = (value: string): string => `=${value}`;
