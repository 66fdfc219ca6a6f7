import type { LabelSelector } from './generated/types.ts';
import type { DeepReadonly } from './object.ts';

type Labels = Readonly<Record<string, string>>;

/** What a selector asks of one label: of a LabelSelector, a NodeSelector or the text of a query. */
export interface Requirement {
  readonly key: string;
  /** In, NotIn, Exists, DoesNotExist, Gt or Lt; any other one is met by nothing. */
  readonly operator: string;
  readonly values?: readonly string[] | null;
}

/**
 * Whether labels satisfy a LabelSelector (upstream's LabelSelectorAsSelector): an absent one selects nothing, an empty one
 * everything. A selector with an operator that does not exist selects nothing.
 */
export function matchesLabelSelector(
  selector: DeepReadonly<LabelSelector> | null | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  return matchesLabels(selector.matchLabels, labels) && matchesRequirements(selector.matchExpressions, labels);
}

/** Whether labels have all of these; none to ask for is satisfied by any. */
export function matchesLabels(wanted: Labels | null | undefined, labels: Labels | undefined): boolean {
  for (const key in wanted ?? {}) if (labelValue(labels, key) !== wanted?.[key]) return false;
  return true;
}

/** Whether labels satisfy all of these; none is satisfied by any. */
export function matchesRequirements(
  requirements: readonly Requirement[] | null | undefined,
  labels: Labels | undefined,
): boolean {
  for (const requirement of requirements ?? []) {
    if (!matchesRequirement(requirement, labelValue(labels, requirement.key))) return false;
  }
  return true;
}

/** Whether a value (undefined: there is none) is what a requirement asks for. */
export function matchesRequirement({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt':
      return compares(operator, value, values?.[0]);
    default:
      return false;
  }
}

/** True for a selector without any requirement. */
export function isEmptySelector(selector: DeepReadonly<LabelSelector>): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** Whether a text is a 64-bit integer as far as Gt and Lt go. */
export function isSelectorInteger(text: string): boolean {
  return /^[+-]?\d{1,19}$/.test(text);
}

function compares(operator: 'Gt' | 'Lt', value: string | undefined, bound: string | undefined): boolean {
  if (value === undefined || bound === undefined || !isSelectorInteger(value) || !isSelectorInteger(bound)) {
    return false;
  }
  return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

function labelValue(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** A LabelSelector of which nothing is certain: what a custom resource or a printer has. */
export interface LooseLabelSelector {
  readonly matchLabels?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly matchExpressions?: readonly Partial<Requirement>[] | null | undefined;
}

/** The text form of a LabelSelector as in `status.selector` of a Scale: `app=web,tier in (a,b),!old`; keys in order. */
export function formatLabelSelector(selector: LooseLabelSelector | null | undefined): string {
  const parts: [key: string, text: string][] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) parts.push([key, `${key}=${value ?? ''}`]);
  for (const requirement of selector?.matchExpressions ?? []) parts.push([requirement.key ?? '', format(requirement)]);
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',');
}

function format({ key = '', operator, values }: Partial<Requirement>): string {
  const list = [...(values ?? [])].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Exists':
      return key;
    default:
      return '<error>';
  }
}
