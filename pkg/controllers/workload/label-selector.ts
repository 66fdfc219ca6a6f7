import type { LabelSelector, LabelSelectorRequirement } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';

export type Labels = Readonly<Record<string, string>>;

/** metav1.LabelSelector semantics: no selector matches nothing, an empty one everything. */
export function matchesSelector(selector: DeepReadonly<LabelSelector> | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false;
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels))
  );
}

/** Every wanted label is there with its value. */
export function matchesLabels(wanted: Labels, labels: Labels = {}): boolean {
  for (const key in wanted) if (labels[key] !== wanted[key] || !Object.hasOwn(labels, key)) return false;
  return true;
}

function matchesRequirement(requirement: DeepReadonly<LabelSelectorRequirement>, labels: Labels): boolean {
  const { key, operator, values = [] } = requirement;
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

export function isEmptySelector(selector: DeepReadonly<LabelSelector> | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
}
