import type { DeepReadonly } from '../base/json.ts';

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string | undefined>>;
  readonly matchExpressions?: readonly DeepReadonly<{ key?: string; operator?: string; values?: string[] }>[];
}

/** A label selector as Go prints it in messages: `&LabelSelector{MatchLabels:map[string]string{a: b,},...}`. */
export function goSelectorText(selector: Selector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector?.matchExpressions ?? []).map(
    ({ key = '', operator = '', values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  );
  const text = labels.map(([key, value]) => `${key}: ${value},`).join('');
  const list = expressions.map((expression) => `${expression},`).join('');
  return `&LabelSelector{MatchLabels:map[string]string{${text}},MatchExpressions:[]LabelSelectorRequirement{${list}},}`;
}
