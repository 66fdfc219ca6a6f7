/** Which IP families a Service gets, and whether what it asks for can be had. */
import type { DeepReadonly } from '../../base/json.ts';
import { equalJSON } from '../../base/json.ts';
import type { ServiceSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isHeadless } from './service-update.ts';
import { validateClusterIPs } from './service-validation.ts';

type Spec = DeepReadonly<ServiceSpec>;
type FieldError = field.FieldError;

/**
 * Fills in the policy and the families of a Service of a cluster with `clusterFamilies`, its own first. `before` is the spec
 * that an update replaces. With errors returned the Service cannot be had, and nothing else of it need be checked.
 * Upstream's initIPFamilyFields.
 */
export function initIPFamilies(
  spec: ServiceSpec,
  before: Spec | undefined,
  clusterFamilies: readonly string[],
): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  if (before !== undefined && isSettled(spec, before)) return [];
  const free = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack');
  const malformed = validateClusterIPs(spec);
  if (malformed.length > 0) return malformed;
  const errors = [...fitPolicy(spec, before), ...inferFamilies(spec, clusterFamilies)];
  if (errors.length > 0) return errors;
  // Without a selector whoever writes the endpoints decides, whatever the cluster has.
  const unavailable = free ? [] : findUnavailable(spec, clusterFamilies);
  if (unavailable.length > 0) return unavailable;
  const families = spec.ipFamilies?.length ? spec.ipFamilies : clusterFamilies.slice(0, 1);
  const both = spec.ipFamilyPolicy !== 'SingleStack' && (free || clusterFamilies.length === 2);
  spec.ipFamilies =
    both && families.length === 1 ? [...families, families[0] === 'IPv4' ? 'IPv6' : 'IPv4'] : [...families];
  return [];
}

/** A Service that prefers two families keeps what it has when the cluster has others now. */
function isSettled(spec: Spec, before: Spec): boolean {
  return (
    before.type !== 'ExternalName' &&
    before.ipFamilyPolicy === 'PreferDualStack' &&
    (spec.ipFamilyPolicy ?? before.ipFamilyPolicy) === 'PreferDualStack' &&
    spec.ipFamilyPolicy !== undefined &&
    equalJSON(spec.clusterIPs, before.clusterIPs) &&
    equalJSON(spec.ipFamilies, before.ipFamilies)
  );
}

/** A change to one family drops the second address; what is given must go with the policy. */
function fitPolicy(spec: ServiceSpec, before: Spec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'spec.ipFamilyPolicy';
  const policy = spec.ipFamilyPolicy;
  const lists = [
    ['clusterIPs', 'cluster IP'],
    ['ipFamilies', 'IP family'],
  ] as const;
  if (before !== undefined && before.type !== 'ExternalName') {
    for (const [name, what] of lists) {
      const list = spec[name] ?? [];
      const old = before[name] ?? [];
      if (policy === 'SingleStack') {
        if (list.length > 1 && equalJSON(list, old)) spec[name] = list.slice(0, 1);
      } else if (list.length === 1 && old.length === 2 && list[0] === old[0]) {
        errors.push(field.invalid(path, policy, `must be 'SingleStack' to release the secondary ${what}`));
      }
    }
  }
  if (policy !== 'SingleStack') return errors;
  for (const [name, what] of lists) {
    if (spec[name]?.length !== 2) continue;
    const plural = what === 'IP family' ? 'IP families' : `${what}s`;
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${plural} are specified`;
    errors.push(field.invalid(path, policy, detail));
  }
  return errors;
}

/** Families of given addresses that have none yet. */
function inferFamilies(spec: ServiceSpec, clusterFamilies: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (isHeadless(spec)) return errors;
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (i < (spec.ipFamilies?.length ?? 0)) continue;
    const family = ip.includes(':') ? 'IPv6' : 'IPv4';
    if (clusterFamilies.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else {
      const detail = `${family} is not configured on this cluster`;
      errors.push(field.invalid(`spec.clusterIPs[${i}]`, spec.clusterIPs, detail));
    }
  }
  return errors;
}

function findUnavailable(spec: Spec, clusterFamilies: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack' && clusterFamilies.length < 2) {
    const detail = 'this cluster is not configured for dual-stack services';
    errors.push(field.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (clusterFamilies.includes(family)) continue;
    errors.push(field.invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  return errors;
}
