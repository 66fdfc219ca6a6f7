import type { LabelSelector, Pod, PodAffinityTerm } from '../../api/generated/types.ts';
import { isEmptySelector, matchesLabelSelector, matchesLabels, matchesRequirements } from '../../api/selector.ts';
import type { DeepReadonly } from '../../base/json.ts';

type Labels = Readonly<Record<string, string>>;

/** A term of pod affinity or anti-affinity with its defaults worked in. */
export interface AffinityTerm {
  /** Equal for equal terms, whatever pods they come from. */
  readonly key: string;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: DeepReadonly<LabelSelector> | undefined;
  readonly selector: DeepReadonly<LabelSelector> | undefined;
  readonly topologyKey: string;
}

export interface WeightedTerm extends AffinityTerm {
  /** Negative for anti-affinity. */
  readonly weight: number;
}

/** Without namespaces and without a namespace selector a term is about the pod's own namespace. */
export function affinityTerm(pod: DeepReadonly<Pod>, term: DeepReadonly<PodAffinityTerm>): AffinityTerm {
  const named = term.namespaces ?? [];
  const namespaces = named.length === 0 && term.namespaceSelector === undefined ? [pod.metadata.namespace] : named;
  const selector = withLabelKeys(pod, term);
  const { namespaceSelector, topologyKey } = term;
  return {
    key: JSON.stringify([[...namespaces].sort(), namespaceSelector, selector, topologyKey]),
    namespaces: new Set(namespaces),
    namespaceSelector,
    selector,
    topologyKey,
  };
}

/** Whether a pod is one of those that a term speaks of; `labelsOfNamespace` are those of the pod's namespace. */
export function termMatches(
  term: Omit<AffinityTerm, 'key' | 'topologyKey'>,
  pod: DeepReadonly<Pod>,
  labelsOfNamespace: (namespace: string) => Labels | undefined,
): boolean {
  if (term.selector === undefined) return false;
  if (!term.namespaces.has(pod.metadata.namespace)) {
    const { namespaceSelector } = term;
    if (namespaceSelector === undefined) return false;
    if (!isEmptySelector(namespaceSelector)) {
      const labels = labelsOfNamespace(pod.metadata.namespace);
      if (labels === undefined || !matchesLabelSelector(namespaceSelector, labels)) return false;
    }
  }
  return (
    matchesLabels(term.selector.matchLabels, pod.metadata.labels) &&
    matchesRequirements(term.selector.matchExpressions, pod.metadata.labels)
  );
}

/**
 * matchLabelKeys and mismatchLabelKeys as requirements on the values that the pod itself has. Doing it again for a pod for
 * which the API server has done it changes nothing.
 */
export function withLabelKeys(
  pod: DeepReadonly<Pod>,
  term: {
    readonly labelSelector?: DeepReadonly<LabelSelector>;
    readonly matchLabelKeys?: readonly string[];
    readonly mismatchLabelKeys?: readonly string[];
  },
): DeepReadonly<LabelSelector> | undefined {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (labelSelector === undefined || (matchLabelKeys.length === 0 && mismatchLabelKeys.length === 0)) {
    return labelSelector;
  }
  const matchExpressions = [...(labelSelector.matchExpressions ?? [])];
  const demand = (keys: readonly string[], operator: 'In' | 'NotIn'): void => {
    for (const key of keys) {
      const value = pod.metadata.labels?.[key];
      const known = matchExpressions.some(
        (one) => one.key === key && one.operator === operator && one.values?.length === 1 && one.values[0] === value,
      );
      if (value !== undefined && !known) matchExpressions.push({ key, operator, values: [value] });
    }
  };
  demand(matchLabelKeys, 'In');
  demand(mismatchLabelKeys, 'NotIn');
  return { ...labelSelector, matchExpressions };
}
