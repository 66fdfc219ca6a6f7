import type { AffinityTerm } from '../framework/affinity-term.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { NodeCounts } from './node-counts.ts';

/** One distinct term of the placed pods, and on which nodes how many pods have it. */
export interface PlacedTerm {
  readonly term: AffinityTerm;
  /** 0 for required terms. */
  readonly weight: number;
  readonly counts: NodeCounts;
}

export type TermKind = 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity';

/**
 * The affinity terms of the pods that are placed, equal ones counted together: a thousand replicas with one term cost as
 * much to look through as one.
 */
export class TermIndex {
  readonly #labelsOf: (node: string) => Readonly<Record<string, string>> | undefined;
  readonly #terms: Readonly<Record<TermKind, Map<string, PlacedTerm>>> = {
    requiredAffinity: new Map(),
    requiredAntiAffinity: new Map(),
    preferredAffinity: new Map(),
  };

  constructor(labelsOf: (node: string) => Readonly<Record<string, string>> | undefined) {
    this.#labelsOf = labelsOf;
  }

  of(kind: TermKind): Iterable<PlacedTerm> {
    return this.#terms[kind].values();
  }

  has(kind: TermKind): boolean {
    return this.#terms[kind].size > 0;
  }

  /** A pod came to a node (1) or left it (-1). */
  change(pod: PodInfo, node: string, amount: 1 | -1): void {
    for (const term of pod.requiredAffinity) this.#count('requiredAffinity', term, 0, node, amount);
    for (const term of pod.requiredAntiAffinity) this.#count('requiredAntiAffinity', term, 0, node, amount);
    for (const term of pod.preferredAffinity) this.#count('preferredAffinity', term, term.weight, node, amount);
  }

  nodeChanged(node: string): void {
    for (const terms of Object.values(this.#terms)) for (const { counts } of terms.values()) counts.nodeChanged(node);
  }

  #count(kind: TermKind, term: AffinityTerm, weight: number, node: string, amount: 1 | -1): void {
    const key = `${weight} ${term.key}`;
    let placed = this.#terms[kind].get(key);
    if (placed === undefined) {
      placed = { term, weight, counts: new NodeCounts(this.#labelsOf) };
      this.#terms[kind].set(key, placed);
    }
    placed.counts.add(node, amount);
    if (placed.counts.total === 0) this.#terms[kind].delete(key);
  }
}
