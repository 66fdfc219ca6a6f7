import type { DeepReadonly } from '../../base/json.ts';
import type { Service, ServiceSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { immutableText } from '../validation/values.ts';
import { isHeadless, needsHealthCheckNodePort } from './service-update.ts';
import { validateLoadBalancerStatus, validateService } from './service-validation.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<ServiceSpec>;

const fixed = 'may not change once set';

/** What an update may not change: allocated addresses and ports, families, and the load balancer's class. */
export function validateServiceUpdate(service: DeepReadonly<Service>, old: DeepReadonly<Service>): FieldError[] {
  const { spec } = service;
  const before = old.spec;
  const errors: FieldError[] = [];
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    errors.push(...validateAddressChange(spec, before), ...validateFamilyChange(spec, before));
  }
  if (before.type === 'LoadBalancer' && spec.type === 'LoadBalancer') {
    if (before.loadBalancerClass !== spec.loadBalancerClass) {
      errors.push(field.invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? 'null', fixed));
    }
  }
  if (needsHealthCheckNodePort(before) && needsHealthCheckNodePort(spec)) {
    if (before.healthCheckNodePort !== spec.healthCheckNodePort) {
      errors.push(field.forbidden('spec.healthCheckNodePort', immutableText));
    }
  }
  return [...errors, ...validateService(service)];
}

/** Addresses stay; the second one may come and go. */
function validateAddressChange(spec: Spec, before: Spec): FieldError[] {
  if (isHeadless(spec) && isHeadless(before)) return [];
  const path = 'spec.clusterIPs';
  const now = spec.clusterIPs ?? [];
  const old = before.clusterIPs ?? [];
  if (old.length === now.length) {
    return old.flatMap((ip, i) => (ip === now[i] ? [] : [field.invalid(`${path}[${i}]`, now, fixed)]));
  }
  const errors: FieldError[] = [];
  if (now.length === 0) errors.push(field.invalid(`${path}[0]`, now, 'primary clusterIP can not be unset'));
  else if (old.length > 0 && old[0] !== now[0]) errors.push(field.invalid(`${path}[0]`, now, fixed));
  if (old.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.push(mustBeSingle(spec, 'clusterIP'));
  }
  return errors;
}

function validateFamilyChange(spec: Spec, before: Spec): FieldError[] {
  // Headless Services may change their families, and what becomes or was headless is judged by its addresses.
  if (isHeadless(spec) || isHeadless(before)) return [];
  const path = 'spec.ipFamilies[0]';
  const now = spec.ipFamilies ?? [];
  const old = before.ipFamilies ?? [];
  if (old.length === now.length) {
    return old.flatMap((family, i) => (family === now[i] ? [] : [field.invalid(path, now, fixed)]));
  }
  const errors: FieldError[] = [];
  const addresses = spec.clusterIPs ?? [];
  if (old.length > now.length && addresses.length === 0) {
    errors.push(field.invalid(path, now, 'primary ipFamily can not be unset'));
  }
  if (old.length > 0 && now.length > 0 && old[0] !== now[0]) errors.push(field.invalid(path, addresses, fixed));
  if (old.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.push(mustBeSingle(spec, 'ipFamily'));
  }
  return errors;
}

function mustBeSingle(spec: Spec, what: string): FieldError {
  const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`;
  return field.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? 'null', detail);
}

/** The status of a Service: only load balancers have addresses in it. */
export function validateServiceStatus({ spec, status }: DeepReadonly<Service>): FieldError[] {
  const path = 'status.loadBalancer.ingress';
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [field.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return validateLoadBalancerStatus(ingress, path);
}
