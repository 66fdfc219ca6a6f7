import { type DeepReadonly, type KubeObject, keyOf } from '../api/object.ts';
import type { Informer, InformerHandler, Lister } from './client.ts';

/**
 * One informer as many: each partition shows the objects of one value, as an informer with a field selector would, and an event
 * costs what its partition's handlers cost, however many partitions there are.
 */
export class PartitionedInformer<T> {
  readonly #whole: Informer<T>;
  readonly #index: string;
  readonly #partitionOf: (object: DeepReadonly<T>) => string;
  readonly #handlers = new Map<string, Set<InformerHandler<T>>>();

  /** `index`: of the informer, by `partitionOf`. */
  constructor(whole: Informer<T>, index: string, partitionOf: (object: DeepReadonly<T>) => string) {
    this.#whole = whole;
    this.#index = index;
    this.#partitionOf = partitionOf;
  }

  /** Begins to tell the partitions; returns the end of it. */
  start(): () => void {
    return this.#whole.addHandler({
      onAdd: (object) => this.#tell(object, (handler) => handler.onAdd?.(object)),
      onUpdate: (object, old) => {
        if (this.#partitionOf(object) === this.#partitionOf(old)) {
          this.#tell(object, (handler) => handler.onUpdate?.(object, old));
        } else {
          this.#tell(old, (handler) => handler.onDelete?.(old));
          this.#tell(object, (handler) => handler.onAdd?.(object));
        }
      },
      onDelete: (object) => this.#tell(object, (handler) => handler.onDelete?.(object)),
    });
  }

  partition(value: string): Informer<T> {
    const whole = this.#whole;
    const lister = new PartitionLister(whole.lister, this.#index, value, this.#partitionOf);
    return {
      lister,
      addHandler: (handler) => {
        let handlers = this.#handlers.get(value);
        if (handlers === undefined) {
          handlers = new Set();
          this.#handlers.set(value, handlers);
        }
        handlers.add(handler);
        for (const object of lister.list()) handler.onAdd?.(object);
        return () => {
          handlers.delete(handler);
          if (handlers.size === 0 && this.#handlers.get(value) === handlers) this.#handlers.delete(value);
        };
      },
      synced: (signal) => whole.synced(signal),
      syncedIfServed: (signal) => whole.syncedIfServed(signal),
      get hasSynced() {
        return whole.hasSynced;
      },
    };
  }

  #tell(object: DeepReadonly<T>, call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers.get(this.#partitionOf(object)) ?? []) call(handler);
  }
}

class PartitionLister<T> implements Lister<T> {
  readonly #whole: Lister<T>;
  readonly #index: string;
  readonly #value: string;
  readonly #partitionOf: (object: DeepReadonly<T>) => string;

  constructor(whole: Lister<T>, index: string, value: string, partitionOf: (object: DeepReadonly<T>) => string) {
    this.#whole = whole;
    this.#index = index;
    this.#value = value;
    this.#partitionOf = partitionOf;
  }

  get size(): number {
    return this.#own().length;
  }

  get(key: string): DeepReadonly<T> | undefined {
    const object = this.#whole.get(key);
    return object !== undefined && this.#partitionOf(object) === this.#value ? object : undefined;
  }

  list(namespace?: string): Iterable<DeepReadonly<T>> {
    const own = this.#own();
    return namespace
      ? own.filter((object) => keyOf(object as DeepReadonly<KubeObject>).startsWith(`${namespace}/`))
      : own;
  }

  byIndex(index: string, value: string): readonly DeepReadonly<T>[] {
    return this.#whole.byIndex(index, value).filter((object) => this.#partitionOf(object) === this.#value);
  }

  #own(): readonly DeepReadonly<T>[] {
    return this.#whole.byIndex(this.#index, this.#value);
  }
}
