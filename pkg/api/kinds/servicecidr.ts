/** Addresses of Services and the ranges that they are taken from. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { IPAddress, ServiceCIDR } from '../generated/types.ts';
import { canonicalCIDR, canonicalIPTexts, parseCIDR } from '../validation/cidr.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain, isPathSegmentName } from '../validation/names.ts';
import { checkName, immutable } from '../validation/values.ts';
import { childObject } from './shape.ts';

type Address = DeepReadonly<IPAddress>;
type Ranges = DeepReadonly<ServiceCIDR>;

/** The name is the address. */
export const ipAddressStrategy: Strategy = {
  validateName: canonicalIPTexts,
  validate: (object) => validateParent((object as unknown as Address).spec?.parentRef),
  validateUpdate(object, old) {
    const parent = (object as unknown as Address).spec?.parentRef;
    return [...validateParent(parent), ...immutable(parent, (old as unknown as Address).spec?.parentRef, parentPath)];
  },
};

const parentPath = 'spec.parentRef';

function validateParent(parent: NonNullable<Address['spec']>['parentRef'] | undefined): field.FieldError[] {
  if (!parent) return [field.required(parentPath)];
  const errors: field.FieldError[] = [];
  if (parent.group) errors.push(...checkName(isDNS1123Subdomain, parent.group, `${parentPath}.group`));
  for (const name of ['resource', 'name'] as const) {
    if (parent[name]) errors.push(...checkName(isPathSegmentName, parent[name], `${parentPath}.${name}`));
    else errors.push(field.required(`${parentPath}.${name}`));
  }
  if (parent.namespace) errors.push(...checkName(isPathSegmentName, parent.namespace, `${parentPath}.namespace`));
  return errors;
}

const rangesPath = 'spec.cidrs';

export const serviceCIDRStrategy: Strategy = {
  default(object) {
    childObject(object, 'spec');
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateRanges((object as unknown as Ranges).spec),
  validateUpdate(object, old, { subresource }) {
    if (subresource === 'status') return [];
    return validateRangesUpdate((object as unknown as Ranges).spec, (old as unknown as Ranges).spec?.cidrs ?? []);
  },
};

/** A second range, of the other family, may be added; nothing else changes. */
function validateRangesUpdate(spec: Ranges['spec'] | undefined, before: readonly string[]): field.FieldError[] {
  const now = spec?.cidrs ?? [];
  const fixed = (count: number): field.FieldError[] =>
    now.slice(0, count).flatMap((cidr, i) => immutable(cidr, before[i], `${rangesPath}[${i}]`));
  if (now.length === before.length) return fixed(now.length);
  if (before.length === 1 && now.length === 2) return [...fixed(1), ...validateRanges(spec)];
  return immutable(spec?.cidrs, before, rangesPath);
}

function validateRanges(spec: Ranges['spec'] | undefined): field.FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [field.required(rangesPath, 'at least one CIDR required')];
  if (cidrs.length > 2) return [field.invalid(rangesPath, spec, 'may only hold up to 2 values')];
  const errors = cidrs.flatMap((cidr, i) => canonicalCIDR(cidr, `${rangesPath}[${i}]`));
  const [first, second] = cidrs.map((cidr) => parseCIDR(cidr)?.family);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(field.invalid(rangesPath, cidrs, detail));
  }
  return errors;
}
