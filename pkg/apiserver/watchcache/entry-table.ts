import type { Entry } from './entry.ts';

interface NamespaceTable {
  readonly namespace: string;
  readonly byName: Map<string, Entry>;
  /** Ordered by name. */
  readonly sorted: Entry[];
}

const SAMPLED_NAMESPACES = 8;

/** The latest entries of one resource, by namespace, in the order of their storage keys. */
export class EntryTable {
  readonly #tables = new Map<string, NamespaceTable>();
  /** Ordered as their storage keys are: `a-b/` before `a/`. */
  readonly #order: NamespaceTable[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#tables.get(namespace)?.byName.get(name);
  }

  set(entry: Entry): void {
    let table = this.#tables.get(entry.namespace);
    if (table === undefined) {
      table = { namespace: entry.namespace, byName: new Map(), sorted: [] };
      this.#tables.set(entry.namespace, table);
      this.#order.splice(namespacePosition(this.#order, entry.namespace), 0, table);
    }
    const position = namePosition(table.sorted, entry.name);
    if (table.byName.has(entry.name)) {
      table.sorted[position] = entry;
    } else {
      if (position === table.sorted.length) table.sorted.push(entry);
      else table.sorted.splice(position, 0, entry);
      this.#size++;
    }
    table.byName.set(entry.name, entry);
  }

  delete(namespace: string, name: string): void {
    const table = this.#tables.get(namespace);
    if (table === undefined || !table.byName.delete(name)) return;
    table.sorted.splice(namePosition(table.sorted, name), 1);
    this.#size--;
    if (table.sorted.length > 0) return;
    this.#tables.delete(namespace);
    this.#order.splice(namespacePosition(this.#order, namespace), 1);
  }

  /** The average size of an entry as JSON in bytes, from a few of them; 0 when there are none. */
  get averageBytes(): number {
    const sample = this.#order.slice(0, SAMPLED_NAMESPACES).map(({ sorted }) => sorted[0]?.bytes.length ?? 0);
    return sample.length === 0 ? 0 : sample.reduce((sum, bytes) => sum + bytes, 0) / sample.length;
  }

  /** A copy of the entries of one namespace (undefined: of all), in key order. */
  snapshot(namespace: string | undefined): Entry[] {
    if (namespace !== undefined) return this.#tables.get(namespace)?.sorted.slice() ?? [];
    const all: Entry[] = [];
    for (const table of this.#order) for (const entry of table.sorted) all.push(entry);
    return all;
  }

  /** Live iteration; not for use over a wait. */
  *entries(namespace: string | undefined): Generator<Entry> {
    if (namespace !== undefined) yield* this.#tables.get(namespace)?.sorted ?? [];
    else for (const table of this.#order) yield* table.sorted;
  }
}

/** Storage-key order of two entries of one resource. */
export function compareEntries(
  a: { readonly namespace: string; readonly name: string },
  b: { readonly namespace: string; readonly name: string },
): number {
  if (a.namespace !== b.namespace) return `${a.namespace}/` < `${b.namespace}/` ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function namePosition(sorted: readonly Entry[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = sorted[middle];
    if (entry !== undefined && entry.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function namespacePosition(order: readonly NamespaceTable[], namespace: string): number {
  const key = `${namespace}/`;
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const table = order[middle];
    if (table !== undefined && `${table.namespace}/` < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
