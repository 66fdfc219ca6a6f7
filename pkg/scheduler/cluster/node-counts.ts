/**
 * How many of something (pods that a selector matches, pods with a term) there are on each node, and summed by the values of
 * a label of the nodes. Sums are built when first asked for and kept up to date from then on.
 */
export class NodeCounts {
  readonly #labelsOf: (node: string) => Readonly<Record<string, string>> | undefined;
  readonly #perNode = new Map<string, number>();
  readonly #byTopology = new Map<string, Map<string, number>>();
  #total = 0;

  /** `labelsOf` is undefined for nodes that do not exist. */
  constructor(labelsOf: (node: string) => Readonly<Record<string, string>> | undefined) {
    this.#labelsOf = labelsOf;
  }

  get total(): number {
    return this.#total;
  }

  on(node: string): number {
    return this.#perNode.get(node) ?? 0;
  }

  add(node: string, amount: number): void {
    this.#total += amount;
    addTo(this.#perNode, node, amount);
    if (this.#byTopology.size === 0) return;
    const labels = this.#labelsOf(node);
    if (labels === undefined) return;
    for (const [topologyKey, values] of this.#byTopology) {
      const value = labels[topologyKey];
      if (value !== undefined) addTo(values, value, amount);
    }
  }

  /** Sums by the value of a node label; nodes without it do not count. Live: it changes with later additions. */
  by(topologyKey: string): ReadonlyMap<string, number> {
    let values = this.#byTopology.get(topologyKey);
    if (values === undefined) {
      values = new Map();
      for (const [node, amount] of this.#perNode) {
        const value = this.#labelsOf(node)?.[topologyKey];
        if (value !== undefined) addTo(values, value, amount);
      }
      this.#byTopology.set(topologyKey, values);
    }
    return values;
  }

  /** The labels of a node changed, or it came or went. */
  nodeChanged(node: string): void {
    if (this.#perNode.has(node)) this.#byTopology.clear();
  }
}

function addTo(counts: Map<string, number>, key: string, amount: number): void {
  const sum = (counts.get(key) ?? 0) + amount;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
