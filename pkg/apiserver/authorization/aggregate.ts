import type { ClusterRole, LabelSelector } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft } from '../../api/object.ts';
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
      selectors.some((selector) => matches(selector, candidate.metadata.labels ?? {})),
  );
  parts.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: Rule[] = [];
  for (const part of parts) {
    for (const rule of part.rules ?? []) if (!rules.some((known) => equalJSON(known, rule))) rules.push(rule);
  }
  return rules;
}

function matches(selector: DeepReadonly<LabelSelector>, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    const found = value !== undefined && values.includes(value);
    const holds =
      operator === 'In'
        ? found
        : operator === 'NotIn'
          ? !found
          : operator === 'Exists'
            ? value !== undefined
            : value === undefined;
    if (!holds) return false;
  }
  return true;
}
