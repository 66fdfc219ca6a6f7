/** LimitRanges and ResourceQuotas. */
import { randomUUID } from 'node:crypto';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { LimitRange, LimitRangeItem, ResourceQuota } from '../generated/types.ts';
import { quantityMilliValue } from '../quantity.ts';
import * as field from '../validation/field-error.ts';
import { isQualifiedName } from '../validation/names.ts';
import { compareQuantity } from '../validation/quantity.ts';
import { checkName, immutableText } from '../validation/values.ts';
import {
  isHugePages,
  isNativeResource,
  isStandardQuotaResource,
  validateContainerResourceName,
  validateQuotaResourceName,
  validateResourceName,
  validateResourceQuantity,
} from './resource-validation.ts';
import { roundAmounts } from './round-amounts.ts';
import { childObject, dropZero } from './shape.ts';

type List = Readonly<Record<string, string>>;

const limitTypes = ['Container', 'PersistentVolumeClaim', 'Pod'];

export const limitRangeStrategy: Strategy = {
  default(object) {
    for (const item of (object as unknown as LimitRange).spec?.limits ?? []) {
      roundAmounts(item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio);
      if (item.type !== 'Container') continue;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
      dropZero(item, ['default', 'defaultRequest']);
    }
  },
  prepareForCreate(object) {
    object.metadata.name ||= randomUUID();
  },
  validate: (object) => validateLimitRange(object as unknown as DeepReadonly<LimitRange>),
  allowCreateOnUpdate: true,
};

function validateLimitRange(range: DeepReadonly<LimitRange>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const types = new Set<string>();
  const limits = range.spec?.limits ?? [];
  for (let i = 0; i < limits.length; i++) {
    const item = limits[i];
    if (!item) continue;
    const path = `spec.limits[${i}]`;
    errors.push(...validateLimitType(item.type ?? '', `${path}.type`));
    if (types.has(item.type)) errors.push(field.duplicate(`${path}.type`, item.type));
    types.add(item.type);
    errors.push(...validateItem(item, path));
  }
  return errors;
}

function validateLimitType(type: string, path: string): field.FieldError[] {
  const errors = checkName(isQualifiedName, type, path);
  if (errors.length > 0 || type.includes('/') || limitTypes.includes(type)) return errors;
  return [field.invalid(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: DeepReadonly<LimitRangeItem>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const names = new Set<string>();
  const ofContainers = item.type === 'Pod' || item.type === 'Container';
  const validateName = ofContainers ? validateContainerResourceName : validateResourceName;
  for (const part of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const) {
    const list: List = item[part] ?? {};
    if (item.type === 'Pod' && (part === 'default' || part === 'defaultRequest')) {
      if (Object.keys(list).length > 0) {
        errors.push(field.forbidden(`${path}.${part}`, "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name in list) {
      names.add(name);
      errors.push(...validateName(name, `${path}.${part}[${name}]`));
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(field.required(`${path}.limits`, detail));
  }
  for (const name of names) errors.push(...validateOrder(item, name, path));
  return errors;
}

function validateOrder(item: DeepReadonly<LimitRangeItem>, name: string, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  for (const [low, high, at, shown, lowText, highText] of order) {
    const small = item[low]?.[name];
    const large = item[high]?.[name];
    if (small === undefined || large === undefined || compareQuantity(small, large) <= 0) continue;
    const detail = `${lowText} value ${small} is greater than ${highText} value ${large}`;
    errors.push(field.invalid(`${path}.${at}[${name}]`, item[shown]?.[name], detail));
  }
  errors.push(...validateRatio(item, name, `${path}.maxLimitRequestRatio[${name}]`));
  const limit = item.default?.[name];
  const request = item.defaultRequest?.[name];
  const overcommit = isNativeResource(name) && !isHugePages(name);
  if (!overcommit && limit !== undefined && request !== undefined && compareQuantity(limit, request) !== 0) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    errors.push(field.invalid(`${path}.defaultRequest[${name}]`, request, detail));
  }
  return errors;
}

/** What may not be above what, where that is reported, which value is shown, and how upstream names both. */
const order = [
  ['min', 'max', 'min', 'min', 'min', 'max'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min', 'default request'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request', 'max'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request', 'default limit'],
  ['min', 'default', 'default', 'min', 'min', 'default'],
  ['default', 'max', 'default', 'max', 'default', 'max'],
] as const;

/** At least 1, and no more than what minimum and maximum allow. */
function validateRatio(item: DeepReadonly<LimitRangeItem>, name: string, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const ratio = item.maxLimitRequestRatio?.[name];
  const [min, max] = [item.min?.[name], item.max?.[name]];
  if (ratio === undefined) return errors;
  if (compareQuantity(ratio, '1') < 0) errors.push(field.invalid(path, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return errors;
  const limit = quantityMilliValue(max) / quantityMilliValue(min);
  if (quantityMilliValue(ratio) / 1000 > limit) {
    errors.push(field.invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`));
  }
  return errors;
}

const scopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];
const podResources = new Set([
  'pods',
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

export const resourceQuotaStrategy: Strategy = {
  default(object) {
    const spec = childObject<NonNullable<ResourceQuota['spec']>>(object, 'spec');
    const status = childObject<NonNullable<ResourceQuota['status']>>(object, 'status');
    roundAmounts(spec.hard, status.hard, status.used);
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateQuota(object as unknown as DeepReadonly<ResourceQuota>),
  validateUpdate(object, old, { subresource }) {
    const quota = object as unknown as DeepReadonly<ResourceQuota>;
    if (subresource === 'status') {
      return [
        ...validateAmounts(quota.status?.hard ?? {}, 'status.hard'),
        ...validateAmounts(quota.status?.used ?? {}, 'status.used'),
      ];
    }
    const before = new Set((old as unknown as DeepReadonly<ResourceQuota>).spec?.scopes ?? []);
    const now = new Set(quota.spec?.scopes ?? []);
    const same = before.size === now.size && [...now].every((scope) => before.has(scope));
    const fixed = same ? [] : [field.invalid('spec.scopes', quota.spec?.scopes ?? null, immutableText)];
    return [...validateQuota(quota), ...fixed];
  },
};

function validateQuota(quota: DeepReadonly<ResourceQuota>): field.FieldError[] {
  const hard: List = quota.spec?.hard ?? {};
  return [...validateAmounts(hard, 'spec.hard'), ...validateScopes(quota, hard), ...validateScopeSelector(quota, hard)];
}

function validateAmounts(amounts: List, path: string): field.FieldError[] {
  return Object.entries(amounts).flatMap(([name, value]) => [
    ...validateQuotaResourceName(name, `${path}[${name}]`),
    ...validateResourceQuantity(name, value, `${path}[${name}]`),
  ]);
}

/** Whether a scope can tell apart what counts for a resource. */
function appliesTo(scope: string, resource: string): boolean {
  if (!scopes.includes(scope)) return true;
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass')
    return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  return podResources.has(resource);
}

const conflicts = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

function validateScopes(quota: DeepReadonly<ResourceQuota>, hard: List): field.FieldError[] {
  const list = quota.spec?.scopes ?? [];
  if (list.length === 0) return [];
  const errors: field.FieldError[] = [];
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(field.invalid('spec.scopes', list, 'unsupported scope'));
    for (const name of Object.keys(hard).sort()) {
      if (!isStandardQuotaResource(name) || appliesTo(scope, name)) continue;
      errors.push(field.invalid('spec.scopes', list, 'unsupported scope applied to resource'));
    }
  }
  for (const [a, b] of conflicts) {
    if (list.includes(a) && list.includes(b)) errors.push(field.invalid('spec.scopes', list, 'conflicting scopes'));
  }
  return errors;
}

function validateScopeSelector(quota: DeepReadonly<ResourceQuota>, hard: List): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const path = 'spec.scopeSelector.matchExpressions';
  const selector = quota.spec?.scopeSelector;
  const expressions = selector?.matchExpressions ?? [];
  for (const { scopeName, operator, values } of expressions) {
    const count = values?.length ?? 0;
    if (!scopes.includes(scopeName)) errors.push(field.invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    for (const name of Object.keys(hard).sort()) {
      if (!isStandardQuotaResource(name) || appliesTo(scopeName, name)) continue;
      errors.push(field.invalid(path, selector, 'unsupported scope applied to resource'));
    }
    const existing =
      scopes.includes(scopeName) && scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass';
    if (existing && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(field.invalid(`${path}.operator`, operator, detail));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (count === 0) {
        const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.push(field.required(`${path}.values`, detail));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (count > 0) {
        const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.push(field.invalid(`${path}.values`, values, detail));
      }
    } else errors.push(field.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  for (const [a, b] of conflicts) {
    const has = (scope: string): boolean => expressions.some(({ scopeName }) => scopeName === scope);
    if (has(a) && has(b)) errors.push(field.invalid(path, quota.spec?.scopes ?? null, 'conflicting scopes'));
  }
  return errors;
}
