import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec, ResourceRequirements } from '../generated/types.ts';
import { quantityValue } from '../quantity.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isQualifiedName } from '../validation/names.ts';
import { compareQuantity, isWholeQuantity, quantitySign } from '../validation/quantity.ts';
import { checkName, negativeText } from '../validation/values.ts';
import { containerLimits, containerRequests } from './container-requests.ts';

type FieldError = field.FieldError;
type ResourceList = Readonly<Record<string, string>> | undefined;

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const quotaCounts = [
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const integerResources = new Set(quotaCounts);
const quotaResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  ...quotaCounts,
]);
const standardResources = new Set([...quotaResources, 'storage']);

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Kubernetes' own resources, as opposed to those of device plugins. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
}

function isStandardResource(name: string): boolean {
  return standardResources.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

function isIntegerResource(name: string): boolean {
  return integerResources.has(name) || isExtendedResource(name);
}

/** The name of a resource anywhere: standard or with a domain. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const errors = isQualifiedName(name).map((text) => field.invalid(path, name, text));
  if (errors.length > 0) return errors;
  if (!name.includes('/') && !isStandardResource(name)) {
    return [field.invalid(path, name, 'must be a standard resource type or fully qualified')];
  }
  return [];
}

/** Resources that quotas know by a short name. */
export function isStandardQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

/** The name of a resource that a quota limits. */
export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/') && !isStandardQuotaResource(name)) {
    errors.push(field.invalid(path, name, 'must be a standard resource for quota'));
  }
  return errors;
}

export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    if (!containerResources.has(name) && !isHugePages(name)) {
      errors.push(field.invalid(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(field.invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

/** Amounts are not negative; those of counted things are whole. */
export function validateResourceQuantity(name: string, value: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (quantitySign(value) < 0) errors.push(field.invalid(path, value, negativeText));
  if (isIntegerResource(name) && !isWholeQuantity(value)) {
    errors.push(field.invalid(path, value, 'must be an integer'));
  }
  return errors;
}

/** An amount that may be anything but negative. */
export function validateBasicResource(value: string, path: string): FieldError[] {
  if (quantitySign(value) >= 0) return [];
  return [field.invalid(path, quantityValue(value), 'must be a valid resource quantity')];
}

type NameRule = (name: string, path: string) => FieldError[];

/** `others` are the checks of an amount against those of another list. */
function validateList(
  list: ResourceList,
  nameRule: NameRule,
  path: string,
  others: (name: string, value: string) => FieldError[] = () => [],
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in list ?? {}) {
    const keyPath = `${path}[${name}]`;
    const value = list?.[name] ?? '0';
    errors.push(...nameRule(name, keyPath));
    errors.push(...validateResourceQuantity(name, value, keyPath));
    errors.push(...others(name, value));
    if (isHugePages(name) && !isWholePages(name, value)) {
      errors.push(field.invalid(keyPath, value, `${value} is not positive integer multiple of ${name}`));
    }
  }
  return errors;
}

/** Whether an amount is a whole number of huge pages of the size that the resource's name tells. */
function isWholePages(name: string, value: string): boolean {
  const size = name.slice('hugepages-'.length);
  if (quantitySign(size) <= 0 || !isWholeQuantity(size)) return false;
  return quantityValue(value) % quantityValue(size) === 0;
}

/** Requests, limits and claims of a container. `claims` are the names of the pod's resource claims. */
export function validateContainerResources(
  resources: DeepReadonly<ResourceRequirements> | undefined,
  claims: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return resources ? validateRequirements(resources, validateContainerResourceName, claims, path) : [];
}

function validateRequirements(
  resources: DeepReadonly<ResourceRequirements>,
  nameRule: NameRule,
  claims: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const { limits, requests } = resources;
  const errors = [
    ...validateList(limits, nameRule, `${path}.limits`),
    ...validateList(requests, nameRule, `${path}.requests`, (name, request) =>
      validateRequest(name, request, limits?.[name], path),
    ),
  ];
  const names = [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(field.forbidden(path, 'HugePages require cpu or memory'));
  }
  errors.push(...validateClaims(resources.claims, claims, `${path}.claims`));
  return errors;
}

function validateRequest(name: string, request: string, limit: string | undefined, path: string): FieldError[] {
  const overcommit = isNativeResource(name) && !isHugePages(name);
  if (limit === undefined) {
    return overcommit ? [] : [field.required(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const difference = compareQuantity(request, limit);
  if (difference !== 0 && !overcommit) {
    return [field.invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`)];
  }
  if (difference > 0) {
    return [field.invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)];
  }
  return [];
}

function validateClaims(
  claims: DeepReadonly<ResourceRequirements>['claims'],
  known: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < (claims?.length ?? 0); i++) {
    const { name = '', request = '' } = claims?.[i] ?? {};
    const at = `${path}[${i}]`;
    if (name === '') {
      errors.push(field.required(at));
      continue;
    }
    const key = request === '' ? name : `${name}/${request}`;
    if (seen.has(name)) errors.push(field.duplicate(at, name));
    else {
      if (request !== '') errors.push(...checkName(isDNS1123Label, request, `${at}.request`));
      // A whole claim includes those of its requests that were named before.
      const part = request === '' && [...seen].some((other) => other.startsWith(`${name}/`));
      if (seen.has(key) || part) errors.push(field.duplicate(at, key));
      seen.add(key);
    }
    if (known.has(name)) continue;
    const names = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
    const error = field.notFound(at, name);
    const detail = `must be one of the names in pod.spec.resourceClaims${names}`;
    errors.push({ ...error, message: `${error.message}: ${detail}` });
  }
  return errors;
}

function validatePodResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)) return errors;
  return [field.notSupported(path, name, ['cpu', 'hugepages-', 'memory'])];
}

/** The pod's own requests and limits: no less than what its containers ask for together, no limit of theirs above. */
export function validatePodLevelResources(
  spec: DeepReadonly<PodSpec>,
  claims: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  if (spec.os?.name === 'windows') return [field.forbidden(path, 'may not be set for a windows pod')];
  const errors: FieldError[] = [];
  if (resources.claims) {
    errors.push(field.forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level'));
  }
  errors.push(...validateRequirements(resources, validatePodResourceName, claims, path));
  const together = containerRequests(spec);
  for (const name in together) {
    const own = resources.requests?.[name];
    if (own === undefined || compareQuantity(together[name], own) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${together[name]}`;
    errors.push(field.invalid(`${path}.requests[${name}]`, own, detail));
  }
  const limited = containerLimits(spec);
  for (const name in limited) {
    const own = resources.limits?.[name];
    if (!isHugePages(name) || own === undefined || compareQuantity(limited[name], own) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container limits of ${limited[name]}`;
    errors.push(field.invalid(`${path}.limits[${name}]`, own, detail));
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const name in container.resources?.limits ?? {}) {
      const own = resources.limits?.[name];
      const limit = container.resources?.limits?.[name] ?? '0';
      if (own === undefined || compareQuantity(limit, own) <= 0) continue;
      const detail = `must be less than or equal to pod limits of ${own}`;
      errors.push(field.invalid(`${path}.containers[${i}][${name}].limits`, limit, detail));
    }
  }
  return errors;
}
