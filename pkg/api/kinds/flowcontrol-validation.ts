import type { DeepReadonly } from '../../base/json.ts';
import type {
  FlowcontrolSubject,
  FlowSchema,
  LimitResponse,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';

type FieldError = field.FieldError;

const maxPrecedence = 10_000;
const maxQueues = 10_000_000;
const maxHashBits = 60;
const exemptName = 'exempt';
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjectKinds = ['Group', 'ServiceAccount', 'User'] as const;
const memberOf = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;

export function validateFlowSchema(schema: DeepReadonly<FlowSchema>): FieldError[] {
  const { metadata, spec, status } = schema;
  const errors: FieldError[] = [];
  const precedence = spec?.matchingPrecedence ?? 0;
  const bad = (detail: string): void => {
    errors.push(field.invalid('spec.matchingPrecedence', precedence, detail));
  };
  if (precedence <= 0) bad('must be a positive value');
  if (precedence > maxPrecedence) bad(`must not be greater than ${maxPrecedence}`);
  if (precedence === 1 && metadata?.name !== exemptName) {
    bad("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  const method = spec?.distinguisherMethod;
  if (method && method.type !== 'ByNamespace' && method.type !== 'ByUser') {
    errors.push(field.notSupported('spec.distinguisherMethod.type', method, ['ByNamespace', 'ByUser']));
  }
  const level = spec?.priorityLevelConfiguration?.name;
  const path = 'spec.priorityLevelConfiguration.name';
  if (level) errors.push(...checkName(isDNS1123Subdomain, level, path));
  else errors.push(field.required(path, 'must reference a priority level'));
  const rules = spec?.rules ?? [];
  for (let i = 0; i < rules.length; i++) errors.push(...validateRule(rules[i] ?? {}, `spec.rules[${i}]`));
  return [...errors, ...validateFlowConditions(status?.conditions)];
}

/** The conditions of a FlowSchema or a PriorityLevelConfiguration. */
export function validateFlowConditions(
  conditions: readonly { readonly type?: string }[] | undefined | null,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < (conditions?.length ?? 0); i++) {
    const type = conditions?.[i]?.type ?? '';
    const path = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(field.duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(field.required(path, 'must not be empty'));
  }
  return errors;
}

function validateRule(rule: DeepReadonly<Partial<PolicyRulesWithSubjects>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { subjects, resourceRules, nonResourceRules } = rule;
  if (!subjects?.length) errors.push(field.required(`${path}.subjects`, 'subjects must contain at least one value'));
  for (let i = 0; i < (subjects?.length ?? 0); i++) {
    errors.push(...validateSubject(subjects?.[i] ?? {}, `${path}.subjects[${i}]`));
  }
  if (!resourceRules?.length && !nonResourceRules?.length) {
    errors.push(field.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  for (let i = 0; i < (resourceRules?.length ?? 0); i++) {
    errors.push(...validateResourceRule(resourceRules?.[i] ?? {}, `${path}.resourceRules[${i}]`));
  }
  for (let i = 0; i < (nonResourceRules?.length ?? 0); i++) {
    errors.push(...validateNonResourceRule(nonResourceRules?.[i] ?? {}, `${path}.nonResourceRules[${i}]`));
  }
  return errors;
}

function validateSubject(subject: DeepReadonly<Partial<FlowcontrolSubject>>, path: string): FieldError[] {
  const kind = subjectKinds.find((one) => one === subject.kind);
  if (kind === undefined) return [field.notSupported(`${path}.kind`, subject.kind ?? '', subjectKinds)];
  const member = memberOf[kind];
  const at = `${path}.${member}`;
  const errors: FieldError[] = [];
  const named = subject[member];
  if (!named) errors.push(field.required(at, `${member} is required when subject kind is '${kind}'`));
  else if (!named.name) errors.push(field.required(`${at}.name`));
  else if (kind === 'ServiceAccount' && named.name !== '*') {
    errors.push(...checkName(isDNS1123Subdomain, named.name, `${at}.name`));
  }
  if (kind === 'ServiceAccount' && subject.serviceAccount) {
    const { namespace } = subject.serviceAccount;
    if (namespace) errors.push(...checkName(isDNS1123Label, namespace, `${at}.namespace`));
    else errors.push(field.required(`${at}.namespace`, 'must specify namespace for service account'));
  }
  for (const other of ['ServiceAccount', 'User', 'Group'] as const) {
    const name = memberOf[other];
    if (other === kind || !subject[name]) continue;
    errors.push(field.forbidden(`${path}.${name}`, `${name} is forbidden when subject kind is not '${other}'`));
  }
  return errors;
}

function validateVerbs(list: readonly string[] | undefined, path: string): FieldError[] {
  if (!list?.length) return [field.required(path, 'verbs must contain at least one value')];
  if (list.includes('*')) return alone(list, 'verbs', path);
  return list.every((verb) => verbs.includes(verb)) ? [] : [field.notSupported(path, list, verbs)];
}

/** A wildcard must be the only entry. */
function alone(list: readonly string[], what: string, path: string): FieldError[] {
  if (list.length < 2 || !list.includes('*')) return [];
  return [field.invalid(path, list, `if '*' is present, must not specify other ${what}`)];
}

function validateNonResourceRule(rule: DeepReadonly<Partial<NonResourcePolicyRule>>, path: string): FieldError[] {
  const errors = validateVerbs(rule.verbs, `${path}.verbs`);
  const urls = rule.nonResourceURLs ?? [];
  const at = `${path}.nonResourceURLs`;
  if (urls.length === 0) errors.push(field.required(at, 'nonResourceURLs must contain at least one value'));
  else if (urls.includes('*')) errors.push(...alone(urls, 'non-resource URLs', at));
  else {
    for (let i = 0; i < urls.length; i++) {
      const wrong = nonResourceURLError(urls[i] ?? '');
      if (wrong !== undefined) errors.push(field.invalid(`${at}[${i}]`, urls[i], wrong));
    }
  }
  return errors;
}

function nonResourceURLError(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  if (wildcards > 1 || (wildcards === 1 && !url.endsWith('/*'))) return 'wildcard can only do suffix matching';
  return undefined;
}

function validateResourceRule(rule: DeepReadonly<Partial<ResourcePolicyRule>>, path: string): FieldError[] {
  const errors = validateVerbs(rule.verbs, `${path}.verbs`);
  for (const [name, one, many] of [
    ['apiGroups', 'api group', 'api groups'],
    ['resources', 'resource', 'resources'],
  ] as const) {
    const list = rule[name] ?? [];
    if (list.length > 0) errors.push(...alone(list, many, `${path}.${name}`));
    else errors.push(field.required(`${path}.${name}`, `resource rules must supply at least one ${one}`));
  }
  const namespaces = rule.namespaces ?? [];
  const at = `${path}.namespaces`;
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(field.required(at, detail));
  } else if (namespaces.includes('*')) errors.push(...alone(namespaces, 'namespaces', at));
  else {
    for (let i = 0; i < namespaces.length; i++) {
      for (const text of isDNS1123Label(namespaces[i] ?? '')) {
        const detail = `each member of this list must be '*' or a DNS-1123 label; ${text}`;
        errors.push(field.invalid(`${at}[${i}]`, namespaces[i], detail));
      }
    }
  }
  return errors;
}

export function validatePriorityLevel(level: DeepReadonly<PriorityLevelConfiguration>): FieldError[] {
  const { metadata, spec, status } = level;
  const errors: FieldError[] = [];
  const type = spec?.type ?? '';
  if ((metadata?.name === exemptName) !== (type === 'Exempt')) {
    errors.push(field.invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (spec?.limited) errors.push(field.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    else if (spec?.exempt) errors.push(...validateShares(spec.exempt, 'spec.exempt'));
  } else if (type === 'Limited') {
    if (spec?.exempt) errors.push(field.forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (spec?.limited) errors.push(...validateLimited(spec.limited, 'spec.limited'));
    else errors.push(field.required('spec.limited', 'must not be empty when type is Limited'));
  } else errors.push(field.notSupported('spec.type', type, ['Exempt', 'Limited']));
  return [...errors, ...validateFlowConditions(status?.conditions)];
}

function validateShares(
  shares: { readonly nominalConcurrencyShares?: number; readonly lendablePercent?: number },
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { nominalConcurrencyShares: nominal, lendablePercent: lendable } = shares;
  if (typeof nominal === 'number' && nominal < 0) {
    errors.push(field.invalid(`${path}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer'));
  }
  if (typeof lendable === 'number' && (lendable < 0 || lendable > 100)) {
    errors.push(field.invalid(`${path}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'));
  }
  return errors;
}

function validateLimited(
  limited: NonNullable<NonNullable<DeepReadonly<PriorityLevelConfiguration>['spec']>['limited']>,
  path: string,
): FieldError[] {
  const [nominal, lendable] = [
    validateShares({ ...limited, lendablePercent: 0 }, path),
    validateShares({ ...limited, nominalConcurrencyShares: 0 }, path),
  ];
  const errors = [
    ...nominal,
    ...validateLimitResponse(limited.limitResponse ?? {}, `${path}.limitResponse`),
    ...lendable,
  ];
  const borrowing = limited.borrowingLimitPercent;
  if (typeof borrowing === 'number' && borrowing < 0) {
    const detail = 'if specified, must be a non-negative integer';
    errors.push(field.invalid(`${path}.borrowingLimitPercent`, borrowing, detail));
  }
  return errors;
}

function validateLimitResponse(response: DeepReadonly<Partial<LimitResponse>>, path: string): FieldError[] {
  const { type = '', queuing } = response;
  if (type === 'Reject') {
    if (!queuing) return [];
    return [field.forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')];
  }
  if (type !== 'Queue') return [field.notSupported(`${path}.type`, type, ['Queue', 'Reject'])];
  if (queuing) return validateQueuing(queuing, `${path}.queuing`);
  return [field.required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')];
}

/** A flow's hand of queues must be chosen by so few bits that a hash has enough of them. */
function validateQueuing(queuing: DeepReadonly<QueuingConfiguration>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0)
    errors.push(field.invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(field.invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > maxQueues) {
    errors.push(field.invalid(`${path}.queues`, queues, `must not be greater than ${maxQueues}`));
  }
  const bits = Math.ceil(Math.log2(queues) * handSize);
  if (handSize <= 0) errors.push(field.invalid(`${path}.handSize`, handSize, 'must be positive'));
  else if (handSize > queues) {
    const detail = `should not be greater than queues (${queues})`;
    errors.push(field.invalid(`${path}.handSize`, handSize, detail));
  } else if (bits > maxHashBits) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`;
    errors.push(field.invalid(`${path}.handSize`, handSize, detail));
  }
  return errors;
}
