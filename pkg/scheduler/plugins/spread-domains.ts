import type { ClusterState } from '../cluster/cluster-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { countsEveryNode, countsNode, hasKeys, type SpreadConstraint } from './spread-constraints.ts';

/** The smallest count of a domain and of another one: enough to know the minimum after one domain has changed. */
interface Lowest {
  readonly value: string | undefined;
  readonly count: number;
  readonly next: number;
}

/** How many matching pods there are in each domain of one DoNotSchedule constraint. */
export class SpreadDomains {
  readonly constraint: SpreadConstraint;
  readonly #counts: ReadonlyMap<string, number>;
  /** The domains that count, with or without pods. */
  readonly #domains: ReadonlyMap<string, unknown>;
  readonly #lowest: Lowest;
  /** What a dry run adds; it changes one node, so one domain. */
  #changed: { readonly value: string; readonly amount: number } | undefined;

  constructor(
    constraint: SpreadConstraint,
    counts: ReadonlyMap<string, number>,
    domains: ReadonlyMap<string, unknown>,
    lowest: Lowest = lowestOf(counts, domains),
  ) {
    this.constraint = constraint;
    this.#counts = counts;
    this.#domains = domains;
    this.#lowest = lowest;
  }

  /** Over the nodes that have all keys and count by the constraint's policies. */
  static of(
    constraint: SpreadConstraint,
    all: readonly SpreadConstraint[],
    pod: PodInfo,
    cluster: ClusterState,
  ): SpreadDomains {
    const { topologyKey, matcher } = constraint;
    const placed = cluster.podCounts.of(matcher);
    const everywhere = all.every((one) => haveKey(one.topologyKey, cluster));
    if (everywhere && countsEveryNode(constraint, pod)) {
      return new SpreadDomains(constraint, placed.by(topologyKey), cluster.domains(topologyKey));
    }
    const counts = new Map<string, number>();
    for (const node of cluster.nodes) {
      if (!hasKeys(all, node) || !countsNode(constraint, pod, node)) continue;
      const value = node.labels[topologyKey] ?? '';
      counts.set(value, (counts.get(value) ?? 0) + placed.on(node.name));
    }
    return new SpreadDomains(constraint, counts, counts);
  }

  change(pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1): void {
    const value = node.labels[this.constraint.topologyKey];
    if (value === undefined || !countsNode(this.constraint, pod, node) || !this.constraint.matcher.matches(other))
      return;
    this.#changed = { value, amount: (this.#changed?.amount ?? 0) + amount };
  }

  clone(): SpreadDomains {
    const copy = new SpreadDomains(this.constraint, this.#counts, this.#domains, this.#lowest);
    copy.#changed = this.#changed;
    return copy;
  }

  /** How far a domain would be above the emptiest one with another pod (`self`: 1 when the pod matches itself). */
  skewAt(value: string, self: number): number {
    return this.#count(value) + self - this.#minimum();
  }

  #count(value: string): number {
    const changed = this.#changed?.value === value ? this.#changed.amount : 0;
    return (this.#counts.get(value) ?? 0) + changed;
  }

  #minimum(): number {
    // Too few domains: pods are wanted in others, so none of them may have any.
    if (this.#domains.size < this.constraint.minDomains) return 0;
    const { value, count, next } = this.#lowest;
    if (this.#changed === undefined || !this.#domains.has(this.#changed.value)) return count;
    return Math.min(this.#changed.value === value ? next : count, this.#count(this.#changed.value));
  }
}

function haveKey(topologyKey: string, cluster: ClusterState): boolean {
  let nodes = 0;
  for (const count of cluster.domains(topologyKey).values()) nodes += count;
  return nodes === cluster.nodes.length;
}

/** Of no domain the minimum is beyond any count: upstream's math.MaxInt32. */
function lowestOf(counts: ReadonlyMap<string, number>, domains: ReadonlyMap<string, unknown>): Lowest {
  const none = 2 ** 31 - 1;
  let value: string | undefined;
  let count = none;
  let next = none;
  for (const domain of domains.keys()) {
    const own = counts.get(domain) ?? 0;
    if (own < count) {
      next = count;
      count = own;
      value = domain;
    } else if (own < next) {
      next = own;
    }
  }
  return { value, count, next };
}
