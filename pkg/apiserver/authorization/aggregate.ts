import type { ClusterRole } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft } from '../../api/object.ts';
import { matchesLabelSelector } from '../../api/selector.ts';
import { equalJSON } from '../../base/json.ts';
import type { Rule } from './policy-rule.ts';

type Role = DeepReadonly<ClusterRole> | Draft<ClusterRole>;

/**
 * The rules of an aggregated ClusterRole: those of every ClusterRole that one of its selectors matches, by name, each rule
 * once. Corresponds to upstream's clusterroleaggregation controller.
 */
export function aggregateRules(role: Role, all: Iterable<Role>): Rule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const parts = [...all].filter(
    (candidate) =>
      candidate.metadata.name !== role.metadata.name &&
      selectors.some((selector) => matchesLabelSelector(selector, candidate.metadata.labels)),
  );
  parts.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: Rule[] = [];
  for (const part of parts) {
    for (const rule of part.rules ?? []) if (!rules.some((known) => equalJSON(known, rule))) rules.push(rule);
  }
  return rules;
}
