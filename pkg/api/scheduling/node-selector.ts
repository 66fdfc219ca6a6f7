import type { DeepReadonly } from '../../base/json.ts';
import type { NodeSelector, NodeSelectorTerm, Pod } from '../generated/types.ts';
import { matchesLabels, matchesRequirement, matchesRequirements } from '../selector.ts';

/** What node selectors look at. */
export interface SelectableNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** spec.nodeSelector and the required node affinity of a pod. Upstream: GetRequiredNodeAffinity. */
export function podMatchesNode(spec: DeepReadonly<Pod>['spec'], node: SelectableNode): boolean {
  if (!matchesLabels(spec.nodeSelector, node.labels)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Terms are alternatives; one without any requirement matches nothing. */
export function matchesNodeSelector(selector: DeepReadonly<NodeSelector>, node: SelectableNode): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

export function matchesNodeSelectorTerm(term: DeepReadonly<NodeSelectorTerm>, node: SelectableNode): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    matchesRequirements(expressions, node.labels) &&
    fields.every((requirement) =>
      matchesRequirement(requirement, requirement.key === 'metadata.name' ? node.name : undefined),
    )
  );
}
