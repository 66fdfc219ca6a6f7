import type { PodInfo } from '../framework/pod-info.ts';
import { NodeCounts } from './node-counts.ts';

/** Which pods to count. */
export interface PodMatcher {
  /** Equal for matchers that match the same pods. */
  readonly key: string;
  /** Pods of other namespaces never match; undefined: any namespace may have some. */
  readonly namespaces: ReadonlySet<string> | undefined;
  /** The answer depends on labels of namespaces. */
  readonly byNamespaceLabels: boolean;
  matches(pod: PodInfo): boolean;
}

interface Tracked {
  readonly matcher: PodMatcher;
  readonly counts: NodeCounts;
}

/** More selectors than this are not followed at a time; the one not used for longest is forgotten. */
const MAX_TRACKED = 512;

export interface PodCountsDeps {
  readonly labelsOf: (node: string) => Readonly<Record<string, string>> | undefined;
  /** Every placed pod with its node. */
  readonly placed: () => Iterable<readonly [pod: PodInfo, node: string]>;
}

/**
 * Counts of the pods that the selectors of affinity and topology spreading match. A selector costs one look at all pods when
 * it is first asked for, and then only a match for each pod that comes or goes in its namespaces.
 */
export class PodCounts {
  readonly #deps: PodCountsDeps;
  /** In the order of their last use. */
  readonly #tracked = new Map<string, Tracked>();
  readonly #byNamespace = new Map<string, Set<Tracked>>();
  readonly #anyNamespace = new Set<Tracked>();

  constructor(deps: PodCountsDeps) {
    this.#deps = deps;
  }

  of(matcher: PodMatcher): NodeCounts {
    const known = this.#tracked.get(matcher.key);
    if (known !== undefined) {
      this.#tracked.delete(matcher.key);
      this.#tracked.set(matcher.key, known);
      return known.counts;
    }
    const counts = new NodeCounts(this.#deps.labelsOf);
    for (const [pod, node] of this.#deps.placed()) if (matcher.matches(pod)) counts.add(node, 1);
    const tracked = { matcher, counts };
    this.#tracked.set(matcher.key, tracked);
    for (const set of this.#setsOf(matcher)) set.add(tracked);
    if (this.#tracked.size > MAX_TRACKED) {
      const [oldest] = this.#tracked.values();
      if (oldest !== undefined) this.#forget(oldest);
    }
    return counts;
  }

  /** A pod came to a node (1) or left it (-1). */
  change(pod: PodInfo, node: string, amount: 1 | -1): void {
    for (const { matcher, counts } of this.#byNamespace.get(pod.pod.metadata.namespace) ?? []) {
      if (matcher.matches(pod)) counts.add(node, amount);
    }
    for (const { matcher, counts } of this.#anyNamespace) if (matcher.matches(pod)) counts.add(node, amount);
  }

  nodeChanged(node: string): void {
    for (const { counts } of this.#tracked.values()) counts.nodeChanged(node);
  }

  /** Labels of a namespace changed: counts that depend on them are counted anew when they are next asked for. */
  namespaceChanged(): void {
    for (const tracked of [...this.#tracked.values()]) if (tracked.matcher.byNamespaceLabels) this.#forget(tracked);
  }

  #forget(tracked: Tracked): void {
    this.#tracked.delete(tracked.matcher.key);
    for (const set of this.#setsOf(tracked.matcher)) set.delete(tracked);
    for (const namespace of tracked.matcher.namespaces ?? []) {
      if (this.#byNamespace.get(namespace)?.size === 0) this.#byNamespace.delete(namespace);
    }
  }

  #setsOf({ namespaces }: PodMatcher): Set<Tracked>[] {
    if (namespaces === undefined) return [this.#anyNamespace];
    return [...namespaces].map((namespace) => {
      let set = this.#byNamespace.get(namespace);
      if (set === undefined) {
        set = new Set();
        this.#byNamespace.set(namespace, set);
      }
      return set;
    });
  }
}
