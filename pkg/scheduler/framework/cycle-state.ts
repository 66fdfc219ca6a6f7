/** State that a dry run may change without touching the original. */
export interface Cloneable {
  clone(): Cloneable;
}

/** What plugins remember of one pod between the extension points of one cycle. */
export class CycleState {
  readonly #data = new Map<string, unknown>();
  /** Plugins whose filter has nothing to say about this pod. */
  readonly skippedFilters: Set<string>;

  constructor(skippedFilters = new Set<string>()) {
    this.skippedFilters = skippedFilters;
  }

  write(plugin: string, value: unknown): void {
    this.#data.set(plugin, value);
  }

  /** What the same plugin wrote; its type is the plugin's own business. */
  read<T>(plugin: string): T | undefined {
    return this.#data.get(plugin) as T | undefined;
  }

  /** A copy for trying something out, once filters run; what cannot be cloned is shared and never changed. */
  clone(): CycleState {
    const copy = new CycleState(this.skippedFilters);
    for (const [plugin, value] of this.#data) copy.write(plugin, isCloneable(value) ? value.clone() : value);
    return copy;
  }
}

function isCloneable(value: unknown): value is Cloneable {
  return typeof value === 'object' && value !== null && 'clone' in value && typeof value.clone === 'function';
}
