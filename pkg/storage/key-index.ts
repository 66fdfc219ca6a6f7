import type { Revision } from './contract.ts';

/** What a store knows of a live key without reading its value. Entries are replaced, never changed. */
export interface IndexEntry {
  readonly key: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** Small enough that an insertion moves little memory, large enough that the list of blocks stays short. */
const MAX_BLOCK = 512;

/**
 * The live keys in order (of UTF-16 code units), with constant-time lookup by key. Corresponds to etcd's tree index,
 * without the old generations.
 */
export class KeyIndex {
  readonly #entries = new Map<string, IndexEntry>();
  readonly #blocks: string[][] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): IndexEntry | undefined {
    return this.#entries.get(key);
  }

  set(entry: IndexEntry): void {
    if (!this.#entries.has(entry.key)) this.#insert(entry.key);
    this.#entries.set(entry.key, entry);
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return;
    block.splice(lowerBound(block, key), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** Entries whose key begins with `prefix`, from `startKey` (inclusive) on. Must not outlive a change of the index. */
  *range(prefix: string, startKey = prefix): Generator<IndexEntry, void, undefined> {
    const start = startKey > prefix ? startKey : prefix;
    for (let at = this.#blockOf(start); at < this.#blocks.length; at++) {
      const block = this.#blocks[at] ?? [];
      for (let i = (block[0] ?? '') >= start ? 0 : lowerBound(block, start); i < block.length; i++) {
        const key = block[i] as string;
        if (!key.startsWith(prefix)) return;
        const entry = this.#entries.get(key);
        if (entry !== undefined) yield entry;
      }
    }
  }

  count(prefix: string): number {
    if (prefix === '') return this.#entries.size;
    let count = 0;
    for (let at = this.#blockOf(prefix); at < this.#blocks.length; at++) {
      const block = this.#blocks[at] ?? [];
      const from = lowerBound(block, prefix);
      if (from === block.length) continue;
      if (block[from]?.startsWith(prefix) !== true) break;
      if (block[block.length - 1]?.startsWith(prefix) === true) {
        count += block.length - from;
        continue;
      }
      let end = from;
      while (block[end]?.startsWith(prefix) === true) end++;
      return count + end - from;
    }
    return count;
  }

  #insert(key: string): void {
    if (this.#blocks.length === 0) this.#blocks.push([]);
    const at = Math.min(this.#blockOf(key), this.#blocks.length - 1);
    const block = this.#blocks[at] as string[];
    const last = block[block.length - 1];
    if (last === undefined || last < key) block.push(key);
    else block.splice(lowerBound(block, key), 0, key);
    if (block.length <= MAX_BLOCK) return;
    // Keys that arrive in order (a store being opened) leave full blocks behind.
    const keep = at === this.#blocks.length - 1 ? MAX_BLOCK : MAX_BLOCK / 2;
    this.#blocks.splice(at + 1, 0, block.splice(keep));
  }

  /** The first block whose last key is not before `key`; the number of blocks when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle] as string[];
      if ((block[block.length - 1] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
