/** What webhooks and admission policies share: which requests they are for. */
import type { DeepReadonly } from '../../base/json.ts';
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isPathSegmentName, isQualifiedName } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';

type FieldError = field.FieldError;

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const maxMatchConditions = 64;

export const failurePolicies = ['Fail', 'Ignore'];
export const matchPolicies = ['Equivalent', 'Exact'];
export const reinvocationPolicies = ['IfNeeded', 'Never'];

export function validateRule(rule: DeepReadonly<RuleWithOperations>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const verbs = rule.operations ?? [];
  if (verbs.length === 0) errors.push(field.required(`${path}.operations`));
  errors.push(...aloneIfWildcard(verbs, 'operations', `${path}.operations`));
  for (let i = 0; i < verbs.length; i++) {
    const verb = verbs[i] ?? '';
    if (!operations.includes(verb)) errors.push(field.notSupported(`${path}.operations[${i}]`, verb, operations));
  }
  const [groups, versions] = [rule.apiGroups ?? [], rule.apiVersions ?? []];
  if (groups.length === 0) errors.push(field.required(`${path}.apiGroups`));
  errors.push(...aloneIfWildcard(groups, 'API groups', `${path}.apiGroups`));
  if (versions.length === 0) errors.push(field.required(`${path}.apiVersions`));
  errors.push(...aloneIfWildcard(versions, 'API versions', `${path}.apiVersions`));
  for (let i = 0; i < versions.length; i++) {
    if (versions[i] === '') errors.push(field.required(`${path}.apiVersions[${i}]`));
  }
  errors.push(...validateResources(rule.resources ?? [], `${path}.resources`));
  if (rule.scope !== undefined && rule.scope !== null && !scopes.includes(rule.scope)) {
    errors.push(field.notSupported(`${path}.scope`, rule.scope, scopes));
  }
  return errors;
}

function aloneIfWildcard(list: readonly string[], what: string, path: string): FieldError[] {
  if (list.length < 2 || !list.includes('*')) return [];
  return [field.invalid(path, list, `if '*' is present, must not specify other ${what}`)];
}

/** `x`, `x/y` and both with wildcards; a wildcard covers what comes after it. */
function validateResources(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [field.required(path)];
  const errors: FieldError[] = [];
  const allOfResource = new Set<string>();
  const allWithSubresource = new Set<string>();
  let lastPlainIsNamed = false;
  for (let i = 0; i < resources.length; i++) {
    const name = resources[i] ?? '';
    const at = `${path}[${i}]`;
    if (name === '') {
      errors.push(field.required(at));
      continue;
    }
    const slash = name.indexOf('/');
    if (slash < 0) {
      lastPlainIsNamed = name !== '*';
      continue;
    }
    const [resource, subresource] = [name.slice(0, slash), name.slice(slash + 1)];
    if (allOfResource.has(resource)) {
      errors.push(field.invalid(at, name, `if '${resource}/*' is present, must not specify ${name}`));
    }
    if (allWithSubresource.has(subresource)) {
      errors.push(field.invalid(at, name, `if '*/${subresource}' is present, must not specify ${name}`));
    }
    if (subresource === '*') allOfResource.add(resource);
    if (resource === '*') allWithSubresource.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(field.invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && lastPlainIsNamed) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(field.invalid(path, resources, detail));
  }
  return errors;
}

/** Which objects a policy or a binding is for. */
export function validateMatchResources(match: DeepReadonly<MatchResources>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const policy = match.matchPolicy;
  if (policy === undefined || policy === null) errors.push(field.required(`${path}.matchPolicy`));
  else if (!matchPolicies.includes(policy)) {
    errors.push(field.notSupported(`${path}.matchPolicy`, policy, matchPolicies));
  }
  for (const name of ['namespaceSelector', 'objectSelector'] as const) {
    if (match[name]) errors.push(...validateLabelSelector(match[name], `${path}.${name}`));
    else errors.push(field.required(`${path}.${name}`));
  }
  for (const list of ['resourceRules', 'excludeResourceRules'] as const) {
    const rules = match[list] ?? [];
    for (let i = 0; i < rules.length; i++) errors.push(...validateNamedRule(rules[i] ?? {}, `${path}.${list}[${i}]`));
  }
  return errors;
}

function validateNamedRule(rule: DeepReadonly<NamedRuleWithOperations>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = rule.resourceNames ?? [];
  for (let i = 0; i < names.length; i++) {
    const at = `${path}.resourceNames[${i}]`;
    errors.push(...checkName(isPathSegmentName, names[i], at));
    if (names.indexOf(names[i] ?? '') < i) errors.push(field.duplicate(at, names[i]));
  }
  return [...errors, ...validateRule(rule, path)];
}

/** The names of match conditions, and that each has an expression. */
export function validateMatchConditions(
  conditions: readonly DeepReadonly<MatchCondition>[] | undefined,
  path: string,
): FieldError[] {
  const list = conditions ?? [];
  const errors = list.length > maxMatchConditions ? [field.tooMany(path, list.length, maxMatchConditions)] : [];
  const seen = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const { name = '', expression = '' } = list[i] ?? {};
    if (expression.trim() === '') errors.push(field.required(`${path}[${i}].expression`));
    if (name === '') errors.push(field.required(`${path}[${i}].name`));
    else errors.push(...checkName(isQualifiedName, name, `${path}[${i}].name`));
    if (name !== '' && seen.has(name)) errors.push(field.duplicate(`${path}[${i}].name`, name));
    seen.add(name);
  }
  return errors;
}
