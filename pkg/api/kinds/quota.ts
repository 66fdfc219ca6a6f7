/** LimitRanges and ResourceQuotas. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { LimitRange, LimitRangeItem, ResourceQuota } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isQualifiedName } from '../validation/names.ts';
import { compareQuantity, isWholeQuantity, quantitySign } from '../validation/quantity.ts';
import { immutable, negativeText } from '../validation/values.ts';
import {
  isStandardQuotaResource,
  validateQuotaResourceName,
  validateResourceName,
  validateResourceQuantity,
} from './resource-validation.ts';
import { childObject, dropZero } from './shape.ts';

type List = Readonly<Record<string, string>>;

export const limitRangeStrategy: Strategy = {
  default(object) {
    for (const item of (object as unknown as LimitRange).spec?.limits ?? []) {
      if (item.type !== 'Container') continue;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
      dropZero(item, ['default', 'defaultRequest']);
    }
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
    for (const text of isQualifiedName(item.type ?? ''))
      errors.push(field.invalid(`${path}.type`, item.type ?? '', text));
    if (types.has(item.type)) errors.push(field.duplicate(`${path}.type`, item.type));
    types.add(item.type);
    errors.push(...validateItem(item, path));
  }
  return errors;
}

function validateItem(item: DeepReadonly<LimitRangeItem>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const names = new Set<string>();
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
      errors.push(...validateResourceName(name, `${path}.${part}[${name}]`));
      errors.push(...validateResourceQuantity(name, list[name] ?? '0', `${path}.${part}[${name}]`));
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
  const order = [
    ['min', 'max', 'min'],
    ['defaultRequest', 'max', 'defaultRequest'],
    ['default', 'max', 'default'],
    ['defaultRequest', 'default', 'defaultRequest'],
    ['min', 'defaultRequest', 'defaultRequest'],
    ['min', 'default', 'default'],
  ] as const;
  const texts: Readonly<Record<string, string>> = {
    min: 'min',
    max: 'max',
    default: 'default',
    defaultRequest: 'default request',
  };
  for (const [low, high, at] of order) {
    const small = item[low]?.[name];
    const large = item[high]?.[name];
    if (small === undefined || large === undefined || compareQuantity(small, large) <= 0) continue;
    const detail = `${texts[low]} value ${small} is greater than ${texts[high]} value ${large}`;
    errors.push(field.invalid(`${path}.${at}[${name}]`, item[at]?.[name], detail));
  }
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio !== undefined && compareQuantity(ratio, '1') < 0) {
    errors.push(field.invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
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
    childObject(object, 'spec');
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateQuota(object as unknown as DeepReadonly<ResourceQuota>),
  validateUpdate(object, old, { subresource }) {
    const quota = object as unknown as DeepReadonly<ResourceQuota>;
    if (subresource === 'status') return [];
    const before = (old as unknown as DeepReadonly<ResourceQuota>).spec;
    return [...validateQuota(quota), ...immutable(quota.spec?.scopes, before?.scopes, 'spec.scopes')];
  },
};

function validateQuota(quota: DeepReadonly<ResourceQuota>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const hard: List = quota.spec?.hard ?? {};
  for (const name in hard) {
    const path = `spec.hard[${name}]`;
    errors.push(...validateQuotaResourceName(name, path));
    const value = hard[name] ?? '0';
    if (quantitySign(value) < 0) errors.push(field.invalid(path, value, negativeText));
    const counted =
      name.startsWith('count/') ||
      /^(pods|services|secrets|configmaps|replicationcontrollers|resourcequotas|persistentvolumeclaims|services\..*)$/.test(
        name,
      );
    if (counted && !isWholeQuantity(value)) errors.push(field.invalid(path, value, 'must be an integer'));
  }
  return [...errors, ...validateScopes(quota, hard), ...validateScopeSelector(quota)];
}

function validateScopes(quota: DeepReadonly<ResourceQuota>, hard: List): field.FieldError[] {
  const list = quota.spec?.scopes ?? [];
  if (list.length === 0) return [];
  const errors: field.FieldError[] = [];
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(field.invalid('spec.scopes', list, 'unsupported scope'));
    for (const name in hard) {
      const applies = scope === 'BestEffort' ? name === 'pods' : podResources.has(name);
      if (scopes.includes(scope) && isStandardQuotaResource(name) && !applies) {
        errors.push(field.invalid('spec.scopes', list, 'unsupported scope applied to resource'));
      }
    }
  }
  for (const [a, b] of [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ] as const) {
    if (list.includes(a) && list.includes(b)) errors.push(field.invalid('spec.scopes', list, 'conflicting scopes'));
  }
  return errors;
}

function validateScopeSelector(quota: DeepReadonly<ResourceQuota>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const path = 'spec.scopeSelector.matchExpressions';
  for (const { scopeName, operator, values } of quota.spec?.scopeSelector?.matchExpressions ?? []) {
    const count = values?.length ?? 0;
    if (!scopes.includes(scopeName)) errors.push(field.invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    const existing = scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass';
    if (existing && operator !== 'Exists') {
      const detail =
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
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
  return errors;
}
