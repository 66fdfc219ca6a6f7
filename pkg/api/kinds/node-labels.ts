/** Labels of nodes that nobody should select by any more. */
import type { DeepReadonly } from '../../base/json.ts';
import type { LabelSelector, NodeSelectorTerm } from '../generated/types.ts';
import { isLabelValue } from '../validation/names.ts';

const deprecated: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
]);

/** What to do instead of selecting nodes by a label; undefined when the label is fine. */
export function nodeLabelWarning(label: string): string | undefined {
  return deprecated.get(label);
}

/** `checkValues`: say also which values no label can have, where validation lets them pass. */
export function nodeTermWarnings(term: DeepReadonly<NodeSelectorTerm>, path: string, checkValues: boolean): string[] {
  return (term.matchExpressions ?? []).flatMap(({ key, values }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const text = nodeLabelWarning(key);
    const warnings = text === undefined ? [] : [`${at}.key: ${key} is ${text}`];
    for (const [j, value] of (checkValues ? (values ?? []) : []).entries()) {
      for (const problem of isLabelValue(value)) warnings.push(`${at}.values[${j}]: ${value} is invalid, ${problem}`);
    }
    return warnings;
  });
}

/** Warnings about the labels by which a selector finds nodes. */
export function nodeSelectorWarnings(selector: DeepReadonly<LabelSelector> | undefined, path: string): string[] {
  const warnings: string[] = [];
  for (const [i, { key }] of (selector?.matchExpressions ?? []).entries()) {
    const text = nodeLabelWarning(key);
    if (text !== undefined) warnings.push(`${path}.matchExpressions[${i}].key: ${key} is ${text}`);
  }
  for (const label in selector?.matchLabels ?? {}) {
    const text = nodeLabelWarning(label);
    if (text !== undefined) warnings.push(`${path}.matchLabels.${label}: ${text}`);
  }
  return warnings;
}
