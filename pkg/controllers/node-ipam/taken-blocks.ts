import type { CIDRBlocks } from './cidr-blocks.ts';

/** Which blocks of a network are whose. */
export class TakenBlocks {
  readonly #network: CIDRBlocks;
  /** By block, how many owners' networks touch it. */
  readonly #owners = new Map<number, number>();
  /** Where to look for the next free block, so that the block of a node just deleted rests for a while. */
  #next = 0;

  constructor(network: CIDRBlocks) {
    this.#network = network;
  }

  /** Networks that are elsewhere take nothing. */
  take(cidr: string): void {
    this.#count(cidr, 1);
  }

  release(cidr: string): void {
    this.#count(cidr, -1);
  }

  /** The next free block, going around the end; undefined when all are taken. It stays free until it is taken. */
  free(): number | undefined {
    const { count } = this.#network;
    if (this.#owners.size >= count) return undefined;
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count;
      if (!this.#owners.has(index)) return index;
    }
    return undefined;
  }

  /** A block is given away: the next one is looked for behind it. */
  give(index: number): string {
    this.#next = index + 1;
    return this.#network.block(index);
  }

  #count(cidr: string, by: 1 | -1): void {
    const range = this.#network.range(cidr);
    if (range === undefined) return;
    for (let index = range[0]; index <= range[1]; index++) {
      const owners = (this.#owners.get(index) ?? 0) + by;
      if (owners === 0) this.#owners.delete(index);
      else this.#owners.set(index, owners);
    }
  }
}
