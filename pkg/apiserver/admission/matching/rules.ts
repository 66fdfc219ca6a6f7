import type { RuleWithOperations } from '../../../api/generated/types.ts';
import type { ResourceType } from '../../../api/object.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { Operation } from '../../contract.ts';

export type Rule = DeepReadonly<RuleWithOperations>;

/** Whether a rule is about an operation on a resource; `*` stands for all of a list, `*` in resources for no subresource. */
export function ruleMatches(rule: Rule, operation: Operation, type: ResourceType, subresource: string): boolean {
  return (
    scopeMatches(rule.scope ?? '*', type) &&
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, type.group) &&
    includes(rule.apiVersions, type.version) &&
    (rule.resources ?? []).some((name) => resourceMatches(name, type.resource, subresource))
  );
}

/** A Namespace is cluster-scoped here, though its requests are in a namespace. */
function scopeMatches(scope: string, { namespaced }: ResourceType): boolean {
  if (scope === '*') return true;
  return scope === (namespaced ? 'Namespaced' : 'Cluster');
}

function includes(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((one) => one === '*' || one === value) === true;
}

function resourceMatches(name: string, resource: string, subresource: string): boolean {
  const slash = name.indexOf('/');
  const main = slash < 0 ? name : name.slice(0, slash);
  const sub = slash < 0 ? '' : name.slice(slash + 1);
  return (main === '*' || main === resource) && (sub === '*' || sub === subresource);
}

const GROUP = 'admissionregistration.k8s.io';
const CONFIGURATIONS: ReadonlySet<string> = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

/** Webhooks and policies have no say about webhooks and policies: a wrong one could not be removed any more. */
export function isConfiguration({ group, resource }: ResourceType): boolean {
  return group === GROUP && CONFIGURATIONS.has(resource);
}
