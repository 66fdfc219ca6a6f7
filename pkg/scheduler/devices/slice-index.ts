import type { ResourceSlice } from '../../api/generated/types.ts';
import type { Informer } from '../../client/index.ts';
import { poolID, type Slice } from './device-id.ts';

/** Slices by the node that they are for and by their pool, so that a look at one node does not look at all slices. */
export class SliceIndex {
  readonly #byNode = new Map<string, Map<string, Slice>>();
  /** Slices of no single node, and those with counters, which count wherever the pool is used. */
  readonly #anywhere = new Map<string, Slice>();
  readonly #byPool = new Map<string, Map<string, Slice>>();

  /** Follows an informer; returns the end of it. */
  follow(slices: Informer<ResourceSlice>): () => void {
    return slices.addHandler({
      onAdd: (slice) => this.#add(slice),
      onUpdate: (slice, old) => {
        this.#remove(old);
        this.#add(slice);
      },
      onDelete: (slice) => this.#remove(slice),
    });
  }

  /** The slices that a node may use. */
  forNode(name: string): readonly Slice[] {
    return [...(this.#byNode.get(name)?.values() ?? []), ...this.#anywhere.values()];
  }

  /** All slices of a pool, whatever their generation. */
  ofPool(id: string): readonly Slice[] {
    return [...(this.#byPool.get(id)?.values() ?? [])];
  }

  #add(slice: Slice): void {
    const { name } = slice.metadata;
    const node = nodeOf(slice);
    if (node === '') this.#anywhere.set(name, slice);
    else groupOf(this.#byNode, node).set(name, slice);
    groupOf(this.#byPool, poolID(slice)).set(name, slice);
  }

  #remove(slice: Slice): void {
    const { name } = slice.metadata;
    this.#anywhere.delete(name);
    removeFrom(this.#byNode, nodeOf(slice), name);
    removeFrom(this.#byPool, poolID(slice), name);
  }
}

function nodeOf({ spec }: Slice): string {
  return (spec.sharedCounters ?? []).length > 0 ? '' : (spec.nodeName ?? '');
}

function groupOf(groups: Map<string, Map<string, Slice>>, key: string): Map<string, Slice> {
  const group = groups.get(key) ?? new Map<string, Slice>();
  groups.set(key, group);
  return group;
}

function removeFrom(groups: Map<string, Map<string, Slice>>, key: string, name: string): void {
  const group = groups.get(key);
  group?.delete(name);
  if (group?.size === 0) groups.delete(key);
}
