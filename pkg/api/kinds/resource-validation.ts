import type { DeepReadonly } from '../../base/json.ts';
import type { ResourceRequirements } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isLabelValue, isQualifiedName } from '../validation/names.ts';
import { compareQuantity, isWholeQuantity, quantitySign } from '../validation/quantity.ts';
import { negativeText } from '../validation/values.ts';

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

function validateContainerResourceName(name: string, path: string): FieldError[] {
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

/** Names (any standard or qualified one) and amounts of a list of resources. */
export function validateResourceNames(list: ResourceList, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in list ?? {}) errors.push(...validateResourceName(name, `${path}[${name}]`));
  return errors;
}

function validateList(list: ResourceList, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in list ?? {}) {
    const keyPath = `${path}[${name}]`;
    errors.push(...validateContainerResourceName(name, keyPath));
    errors.push(...validateResourceQuantity(name, list?.[name] ?? '0', keyPath));
  }
  return errors;
}

/** Requests, limits and claims of a container. `claims` are the names of the pod's resource claims. */
export function validateContainerResources(
  resources: DeepReadonly<ResourceRequirements> | undefined,
  claims: ReadonlySet<string>,
  path: string,
): FieldError[] {
  if (!resources) return [];
  const { limits, requests } = resources;
  const errors = [...validateList(limits, `${path}.limits`), ...validateList(requests, `${path}.requests`)];
  for (const name in requests ?? {}) {
    errors.push(...validateRequest(name, requests?.[name] ?? '0', limits?.[name], path));
  }
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
    const claim = claims?.[i];
    const name = claim?.name ?? '';
    const request = claim?.request ?? '';
    if (name === '') {
      errors.push(field.required(`${path}[${i}]`));
      continue;
    }
    const key = request === '' ? name : `${name}/${request}`;
    if (seen.has(key) || seen.has(name)) errors.push(field.duplicate(`${path}[${i}]`, key));
    seen.add(key);
    for (const text of isLabelValue(request)) errors.push(field.invalid(`${path}[${i}].request`, request, text));
    if (!known.has(name)) errors.push(field.notFound(`${path}[${i}]`, name));
  }
  return errors;
}

/** The pod's own requests and limits (pod-level resources). */
export function validatePodLevelResources(
  resources: DeepReadonly<ResourceRequirements> | undefined,
  path: string,
): FieldError[] {
  if (!resources) return [];
  const errors: FieldError[] = [];
  for (const part of ['limits', 'requests'] as const) {
    for (const name in resources[part] ?? {}) {
      if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) {
        errors.push(field.notSupported(`${path}.${part}[${name}]`, name, ['cpu', 'hugepages-', 'memory']));
      }
    }
  }
  if ((resources.claims?.length ?? 0) > 0) {
    errors.push(field.forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level'));
  }
  errors.push(...validateContainerResources({ ...resources, claims: [] }, new Set(), path));
  return errors;
}
