import { equalJSON } from '../base/json.ts';
import type { ClusterRole, PolicyRule } from './generated/types.ts';
import type { DeepReadonly, Draft } from './object.ts';
import { matchesLabelSelector } from './selector.ts';

type Role = DeepReadonly<ClusterRole> | Draft<ClusterRole>;
type Rule = DeepReadonly<PolicyRule>;

/**
 * The rules of an aggregated ClusterRole: selector by selector those of the roles it matches, by name, each rule once.
 * Corresponds to upstream's clusterroleaggregation controller.
 */
export function aggregatedRules(role: Role, all: Iterable<Role>): Rule[] {
  const others = [...all]
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: Rule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const { metadata, rules: own } of others) {
      if (!matchesLabelSelector(selector, metadata.labels)) continue;
      for (const rule of own ?? []) if (!rules.some((known) => equalJSON(known, rule))) rules.push(rule);
    }
  }
  return rules;
}
