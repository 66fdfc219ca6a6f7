import type { PodMatcher } from '../cluster/pod-counts.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import { type AffinityTerm, termMatches } from '../framework/affinity-term.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import { namespaceLabels, type PluginHandle } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { MAX_NODE_SCORE, type Rejection, type SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { TopologyCounts } from './topology-counts.ts';

const NAME = 'InterPodAffinity';
const NO_AFFINITY: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod affinity rules"],
  resolvable: false,
};
const ANTI_AFFINITY: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match pod anti-affinity rules"],
  resolvable: true,
};
const EXISTING_ANTI_AFFINITY: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
  resolvable: true,
};

/** How many pods are where that matter to the pod of this cycle. */
class FilterState {
  /** Pods whose own anti-affinity is against this pod. */
  readonly existing: TopologyCounts;
  /** Pods that all affinity terms of this pod match. */
  readonly affinity: TopologyCounts;
  readonly anti: readonly { readonly term: AffinityTerm; readonly counts: TopologyCounts }[];

  constructor(existing: TopologyCounts, affinity: TopologyCounts, anti: FilterState['anti']) {
    this.existing = existing;
    this.affinity = affinity;
    this.anti = anti;
  }

  clone(): FilterState {
    const anti = this.anti.map(({ term, counts }) => ({ term, counts: counts.clone() }));
    return new FilterState(this.existing.clone(), this.affinity.clone(), anti);
  }
}

/** A part of the score: so much for each pod counted. */
interface ScorePart {
  readonly topologyKey: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly weight: number;
}

/**
 * Pod affinity and anti-affinity, of the pod and of the pods that are there. Everything is counted by distinct terms and by
 * the values of their topology keys, never by looking at pods.
 */
export function interPodAffinity(args: PluginArgs['InterPodAffinity'], handle: PluginHandle): SchedulerPlugin {
  const { cluster } = handle;
  const labelsOf = (namespace: string) => namespaceLabels(handle.informers, namespace);
  const matches = (term: AffinityTerm, pod: PodInfo): boolean => termMatches(term, pod.pod, labelsOf);
  const matchesAll = (terms: readonly AffinityTerm[], pod: PodInfo): boolean =>
    terms.length > 0 && terms.every((term) => matches(term, pod));
  const matcher = (terms: readonly AffinityTerm[]): PodMatcher => ({
    key: `affinity ${terms.map(({ key }) => key).join(' ')}`,
    namespaces: terms.some(({ namespaceSelector }) => namespaceSelector !== undefined)
      ? undefined
      : new Set(terms.flatMap(({ namespaces }) => [...namespaces])),
    byNamespaceLabels: terms.some(({ namespaceSelector }) => namespaceSelector !== undefined),
    matches: (pod) => matchesAll(terms, pod),
  });

  const change = (state: FilterState, pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1): void => {
    for (const term of other.requiredAntiAffinity) {
      if (matches(term, pod)) state.existing.change(term.topologyKey, node, amount);
    }
    if (matchesAll(pod.requiredAffinity, other)) {
      for (const { topologyKey } of pod.requiredAffinity) state.affinity.change(topologyKey, node, amount);
    }
    for (const { term, counts } of state.anti) if (matches(term, other)) counts.change(term.topologyKey, node, amount);
  };

  return {
    name: NAME,
    preFilter(state, pod) {
      const existing = new TopologyCounts();
      for (const { term, counts } of cluster.terms.of('requiredAntiAffinity')) {
        if (matches(term, pod)) existing.include(term.topologyKey, counts);
      }
      const affinity = new TopologyCounts();
      if (pod.requiredAffinity.length > 0) {
        const counts = cluster.podCounts.of(matcher(pod.requiredAffinity));
        for (const { topologyKey } of pod.requiredAffinity) affinity.include(topologyKey, counts);
      }
      const anti = pod.requiredAntiAffinity.map((term) => {
        const counts = new TopologyCounts();
        counts.include(term.topologyKey, cluster.podCounts.of(matcher([term])));
        return { term, counts };
      });
      state.write(NAME, new FilterState(existing, affinity, anti));
      return { skip: existing.isEmpty && pod.requiredAffinity.length === 0 && anti.length === 0 };
    },
    addPod(state, pod, other, node) {
      const own = state.read<FilterState>(NAME);
      if (own !== undefined) change(own, pod, other, node, 1);
    },
    removePod(state, pod, other, node) {
      const own = state.read<FilterState>(NAME);
      if (own !== undefined) change(own, pod, other, node, -1);
    },
    filter(state, pod, node) {
      const own = state.read<FilterState>(NAME);
      if (own === undefined) return undefined;
      if (!hasItsCompany(own, pod, node, matchesAll)) return NO_AFFINITY;
      if (own.anti.some(({ term, counts }) => counts.at(term.topologyKey, node) > 0)) return ANTI_AFFINITY;
      return own.existing.anyAt(node) ? EXISTING_ANTI_AFFINITY : undefined;
    },
    preScore(state, pod) {
      const parts = scoreParts(args, handle, pod, matches, matcher);
      state.write(`${NAME}Score`, parts);
      return parts.length === 0;
    },
    score(state, _pod, node) {
      let sum = 0;
      for (const { topologyKey, counts, weight } of state.read<readonly ScorePart[]>(`${NAME}Score`) ?? []) {
        const value = node.labels[topologyKey];
        if (value !== undefined) sum += weight * (counts.get(value) ?? 0);
      }
      return sum;
    },
    normalize: normalizeByRange,
    mayHelp: (event, pod) => mayHelp(event, pod, matches),
  };
}

/**
 * Every affinity term is met at the node, or the pod is the first of a group that wants to be together: nobody matches its
 * terms anywhere, but it does itself.
 */
function hasItsCompany(
  state: FilterState,
  pod: PodInfo,
  node: NodeInfo,
  matchesAll: (terms: readonly AffinityTerm[], pod: PodInfo) => boolean,
): boolean {
  const { requiredAffinity } = pod;
  if (requiredAffinity.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return false;
  if (requiredAffinity.every(({ topologyKey }) => state.affinity.at(topologyKey, node) > 0)) return true;
  return state.affinity.noneAnywhere() && matchesAll(requiredAffinity, pod);
}

function scoreParts(
  args: PluginArgs['InterPodAffinity'],
  { cluster }: PluginHandle,
  pod: PodInfo,
  matches: (term: AffinityTerm, pod: PodInfo) => boolean,
  matcher: (terms: readonly AffinityTerm[]) => PodMatcher,
): ScorePart[] {
  const parts: ScorePart[] = [];
  const add = (topologyKey: string, counts: ReadonlyMap<string, number>, weight: number): void => {
    if (weight !== 0 && counts.size > 0) parts.push({ topologyKey, counts, weight });
  };
  for (const term of pod.preferredAffinity) {
    add(term.topologyKey, cluster.podCounts.of(matcher([term])).by(term.topologyKey), term.weight);
  }
  if (args.hardPodAffinityWeight > 0) {
    for (const { term, counts } of cluster.terms.of('requiredAffinity')) {
      if (matches(term, pod)) add(term.topologyKey, counts.by(term.topologyKey), args.hardPodAffinityWeight);
    }
  }
  if (!args.ignorePreferredTermsOfExistingPods || pod.preferredAffinity.length > 0) {
    for (const { term, weight, counts } of cluster.terms.of('preferredAffinity')) {
      if (matches(term, pod)) add(term.topologyKey, counts.by(term.topologyKey), weight);
    }
  }
  return parts;
}

/** The lowest becomes 0, the highest 100; all equal: all 0. */
function normalizeByRange(scores: Float64Array): void {
  const minimum = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const maximum = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const range = maximum - minimum;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = range > 0 ? Math.floor((MAX_NODE_SCORE * ((scores[i] ?? 0) - minimum)) / range) : 0;
  }
}

function mayHelp(event: ClusterEvent, pod: PodInfo, matches: (term: AffinityTerm, pod: PodInfo) => boolean): boolean {
  switch (event.resource) {
    case 'AssignedPod': {
      const other = event.pod;
      if (event.action !== 'Delete' && pod.requiredAffinity.some((term) => matches(term, other))) return true;
      if (event.action === 'Add') return false;
      const before = event.action === 'Update' ? event.old : other;
      return (
        pod.requiredAntiAffinity.some((term) => matches(term, before)) ||
        before.requiredAntiAffinity.some((term) => matches(term, pod))
      );
    }
    case 'Pod':
      return true;
    case 'Namespace':
      return [...pod.requiredAffinity, ...pod.requiredAntiAffinity].some(
        (term) => term.namespaceSelector !== undefined,
      );
    case 'Node':
      return event.action !== 'Delete' && topologyMayHelp(event, pod);
    default:
      return false;
  }
}

/** A node with all the pod's topology keys came, or one changed a label that matters. */
function topologyMayHelp(event: Extract<ClusterEvent, { resource: 'Node' }>, pod: PodInfo): boolean {
  if (event.action === 'Delete') return false;
  const { labels } = event.node;
  if (pod.requiredAffinity.some(({ topologyKey }) => labels[topologyKey] === undefined)) return false;
  if (event.action === 'Add') return true;
  const before = event.old.metadata.labels ?? {};
  // Which keys the anti-affinity of other pods has is not known here: any change of labels may help.
  return Object.keys({ ...labels, ...before }).some((key) => labels[key] !== before[key]);
}
