import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { Entry } from './entry.ts';

/** Entries by the value of one field. */
export class FieldIndex {
  readonly #value: (object: DeepReadonly<KubeObject>) => string;
  readonly #byValue = new Map<string, Set<Entry>>();

  constructor(value: (object: DeepReadonly<KubeObject>) => string) {
    this.#value = value;
  }

  add(entry: Entry): void {
    const value = this.#value(entry.object);
    const entries = this.#byValue.get(value);
    if (entries === undefined) this.#byValue.set(value, new Set([entry]));
    else entries.add(entry);
  }

  remove(entry: Entry): void {
    const value = this.#value(entry.object);
    const entries = this.#byValue.get(value);
    if (entries?.delete(entry) === true && entries.size === 0) this.#byValue.delete(value);
  }

  get(value: string): Iterable<Entry> {
    return this.#byValue.get(value) ?? [];
  }
}
