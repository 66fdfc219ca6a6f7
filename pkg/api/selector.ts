import type { LabelSelector, LabelSelectorRequirement } from './generated/types.ts';
import type { DeepReadonly } from './object.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = DeepReadonly<LabelSelectorRequirement>;

/**
 * Whether labels satisfy a LabelSelector (upstream's LabelSelectorAsSelector): an absent one selects nothing, an empty one
 * everything. A selector with an operator that does not exist selects nothing.
 */
export function matchesLabelSelector(
  selector: DeepReadonly<LabelSelector> | null | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  return (
    matchesLabels(selector.matchLabels, labels) &&
    (selector.matchExpressions ?? []).every((one) => matches(one, labels))
  );
}

/** Whether labels have all of these; none to ask for is satisfied by any. */
export function matchesLabels(wanted: Labels | null | undefined, labels: Labels | undefined): boolean {
  for (const key in wanted ?? {}) if (labelValue(labels, key) !== wanted?.[key]) return false;
  return true;
}

function matches({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labelValue(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

function labelValue(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** The text form of a LabelSelector as in `status.selector` of a Scale: `app=web,tier in (a,b),!old`; keys in order. */
export function formatLabelSelector(selector: DeepReadonly<LabelSelector> | null | undefined): string {
  const parts: [key: string, text: string][] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) parts.push([key, `${key}=${value}`]);
  for (const requirement of selector?.matchExpressions ?? []) parts.push([requirement.key, format(requirement)]);
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',');
}

function format({ key, operator, values }: Requirement): string {
  const list = [...(values ?? [])].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}
