import type { NodeCounts } from '../cluster/node-counts.ts';
import type { NodeInfo } from '../framework/node-info.ts';

interface Counted {
  /** Live sums of the cluster's state; never changed here. */
  readonly bases: ReadonlyMap<string, number>[];
  /** What a dry run adds. */
  readonly changes: Map<string, number>;
}

/** Sums of pods by topology key and value: the cluster's own with what a dry run adds or takes away. */
export class TopologyCounts {
  readonly #byKey = new Map<string, Counted>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  include(topologyKey: string, counts: NodeCounts): void {
    this.#counted(topologyKey).bases.push(counts.by(topologyKey));
  }

  change(topologyKey: string, node: NodeInfo, amount: number): void {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    const { changes } = this.#counted(topologyKey);
    changes.set(value, (changes.get(value) ?? 0) + amount);
  }

  at(topologyKey: string, node: NodeInfo): number {
    const counted = this.#byKey.get(topologyKey);
    const value = node.labels[topologyKey];
    if (counted === undefined || value === undefined) return 0;
    let sum = counted.changes.get(value) ?? 0;
    for (const base of counted.bases) sum += base.get(value) ?? 0;
    return sum;
  }

  /** Whether there is anything for any of the keys. */
  anyAt(node: NodeInfo): boolean {
    for (const topologyKey of this.#byKey.keys()) if (this.at(topologyKey, node) > 0) return true;
    return false;
  }

  noneAnywhere(): boolean {
    for (const { bases, changes } of this.#byKey.values()) {
      for (const base of bases) for (const [value, sum] of base) if (sum + (changes.get(value) ?? 0) > 0) return false;
      for (const change of changes.values()) if (change > 0) return false;
    }
    return true;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    for (const [topologyKey, { bases, changes }] of this.#byKey) {
      copy.#byKey.set(topologyKey, { bases: [...bases], changes: new Map(changes) });
    }
    return copy;
  }

  #counted(topologyKey: string): Counted {
    let counted = this.#byKey.get(topologyKey);
    if (counted === undefined) {
      counted = { bases: [], changes: new Map() };
      this.#byKey.set(topologyKey, counted);
    }
    return counted;
  }
}
