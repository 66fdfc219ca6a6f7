import type { PolicyRule } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AuthorizationAttributes } from '../contract.ts';

export type Rule = DeepReadonly<PolicyRule>;

/** Whether a rule grants a request (upstream's RuleAllows). */
export function ruleAllows(rule: Rule, attributes: AuthorizationAttributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResourceRequest) return pathMatches(rule.nonResourceURLs, attributes.path);
  return (
    has(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes.resource, attributes.subresource) &&
    nameMatches(rule.resourceNames, attributes.name)
  );
}

function has(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined) return false;
  for (const item of list) if (item === value || item === '*') return true;
  return false;
}

function resourceMatches(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (list === undefined) return false;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  for (const item of list) {
    if (item === '*' || item === combined) return true;
    // `*/scale` grants the scale of every resource; `pods/*` is not a wildcard.
    if (subresource !== '' && item.length === subresource.length + 2 && item === `*/${subresource}`) return true;
  }
  return false;
}

function nameMatches(list: readonly string[] | undefined, name: string): boolean {
  return list === undefined || list.length === 0 || list.includes(name);
}

function pathMatches(list: readonly string[] | undefined, path: string): boolean {
  if (list === undefined) return false;
  for (const item of list) {
    if (item === '*' || item === path) return true;
    if (item.endsWith('*') && path.startsWith(trimStars(item))) return true;
  }
  return false;
}

function trimStars(text: string): string {
  return text.replace(/\*+$/, '');
}
