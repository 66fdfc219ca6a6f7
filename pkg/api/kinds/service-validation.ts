import { isIP } from 'node:net';
import type { DeepReadonly } from '../../base/json.ts';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabels } from '../validation/label-selector.ts';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { checkName, ipAddress, isCIDR, oneOf, portNumber, portNumOrName } from '../validation/values.ts';
import { isExternallyAccessible } from './service-defaults.ts';
import { isHeadless, needsClusterIP, needsHealthCheckNodePort } from './service-update.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<ServiceSpec>;

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const maxAffinitySeconds = 86_400;

export function validateService(service: DeepReadonly<Service>): FieldError[] {
  const { spec } = service;
  const errors: FieldError[] = [];
  const headless = isHeadless(spec);
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') errors.push(field.required('spec.ports'));
  errors.push(...validateType(spec));
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (port) errors.push(...validatePort(port, ports.length > 1, headless, names, `spec.ports[${i}]`));
  }
  errors.push(...validateLabels(spec.selector, 'spec.selector'));
  errors.push(...validateAffinity(spec));
  errors.push(...validateClusterIPs(spec));
  const external = spec.externalIPs ?? [];
  for (let i = 0; i < external.length; i++) errors.push(...publicAddress(external[i] ?? '', `spec.externalIPs[${i}]`));
  errors.push(...oneOf(spec.type, types, 'spec.type'));
  errors.push(...validatePortUse(spec));
  errors.push(...validateLoadBalancer(spec));
  errors.push(...validateTrafficPolicies(spec));
  return errors;
}

function validateType(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const headless = isHeadless(spec);
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (headless) {
      const value = spec.clusterIPs?.[0] ?? 'None';
      errors.push(field.invalid('spec.clusterIPs[0]', value, `may not be set to 'None' for ${spec.type} services`));
    }
  }
  if (spec.type === 'ExternalName') {
    if ((spec.clusterIPs?.length ?? 0) > 0 || spec.clusterIP) {
      errors.push(field.forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(field.required('spec.externalName'));
    else errors.push(...checkName(isDNS1123Subdomain, name, 'spec.externalName'));
    for (const key of ['ipFamilies', 'ipFamilyPolicy', 'allocateLoadBalancerNodePorts'] as const) {
      const value = spec[key];
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
      if (key !== 'allocateLoadBalancerNodePorts') {
        errors.push(field.forbidden(`spec.${key}`, 'may not be set for ExternalName services'));
      }
    }
  }
  if (spec.type !== 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== undefined) {
    const detail = "may only be used when `type` is 'LoadBalancer'";
    errors.push(field.forbidden('spec.allocateLoadBalancerNodePorts', detail));
  }
  return errors;
}

function validatePort(
  port: DeepReadonly<ServicePort>,
  requireName: boolean,
  headless: boolean,
  names: Set<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (requireName && !port.name) errors.push(field.required(`${path}.name`));
  else if (port.name) {
    errors.push(...checkName(isDNS1123Label, port.name, `${path}.name`));
    if (names.has(port.name)) errors.push(field.duplicate(`${path}.name`, port.name));
    names.add(port.name);
  }
  errors.push(...portNumber(port.port, `${path}.port`));
  errors.push(...oneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`));
  errors.push(...portNumOrName(port.targetPort, `${path}.targetPort`));
  if (port.appProtocol !== undefined && port.appProtocol !== null) {
    errors.push(...checkName(isQualifiedName, port.appProtocol, `${path}.appProtocol`));
  }
  if (headless && port.targetPort !== port.port && typeof port.targetPort === 'number' && port.nodePort) {
    errors.push(field.invalid(`${path}.nodePort`, port.nodePort, 'may not be set for headless services'));
  }
  return errors;
}

function validateAffinity(spec: Spec): FieldError[] {
  const errors = oneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity');
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    const path = 'spec.sessionAffinityConfig.clientIP';
    if (!config?.clientIP) {
      errors.push(field.required('spec.sessionAffinityConfig', 'when session affinity type is ClientIP'));
    } else {
      const seconds = config.clientIP.timeoutSeconds ?? 0;
      if (seconds <= 0 || seconds > maxAffinitySeconds) {
        const detail = `must be greater than 0 and less than ${maxAffinitySeconds}`;
        errors.push(field.invalid(`${path}.timeoutSeconds`, seconds, detail));
      }
    }
  } else if (spec.sessionAffinity === 'None' && config) {
    const detail = 'must not be set when session affinity is None';
    errors.push(field.forbidden('spec.sessionAffinityConfig', detail));
  }
  return errors;
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

function validateClusterIPs(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (!needsClusterIP(spec)) return errors;
  const path = 'spec.clusterIPs';
  const addresses = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (spec.clusterIP && addresses.length > 0 && addresses[0] !== spec.clusterIP) {
    errors.push(field.invalid(path, addresses, 'first value must match `clusterIP`'));
  }
  if (!spec.clusterIP && addresses.length > 0) {
    errors.push(field.invalid(path, addresses, 'must be empty when `clusterIP` is not specified'));
  }
  for (let i = 0; i < families.length; i++) {
    const family = families[i] ?? '';
    if (family !== 'IPv4' && family !== 'IPv6') {
      errors.push(field.notSupported(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']));
    } else if (families.indexOf(family) < i) errors.push(field.duplicate(`spec.ipFamilies[${i}]`, family));
  }
  if (spec.ipFamilyPolicy !== undefined && spec.ipFamilyPolicy !== null) {
    const supported = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
    errors.push(...oneOf(spec.ipFamilyPolicy, supported, 'spec.ipFamilyPolicy'));
    if (spec.ipFamilyPolicy === 'SingleStack' && (addresses.length === 2 || families.length === 2)) {
      const detail = "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified";
      errors.push(field.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
    }
  }
  for (let i = 0; i < addresses.length; i++) {
    const address = addresses[i] ?? '';
    if (i === 0 && address === 'None') {
      if (addresses.length > 1) errors.push(field.invalid(path, addresses, "'None' must be the first and only value"));
      continue;
    }
    if (isIP(address) === 0) errors.push(...ipAddress(address, `${path}[${i}]`));
    else if (families[i] !== undefined && families[i] !== familyOf(address)) {
      const detail = `expected an ${families[i]} value as indicated by \`ipFamilies[${i}]\``;
      errors.push(field.invalid(`${path}[${i}]`, address, detail));
    }
  }
  if (addresses.length > 2) errors.push(field.invalid(path, addresses, 'may only hold up to 2 values'));
  return errors;
}

/** Addresses that clients outside may use: not unspecified, loopback, link-local or multicast. */
export function publicAddress(address: string, path: string): FieldError[] {
  const errors = ipAddress(address, path);
  if (errors.length > 0) return errors;
  return specialAddress(address).map((detail) => field.invalid(path, address, detail));
}

/** Why an address cannot be an endpoint or external IP. */
export function specialAddress(address: string): string[] {
  const lower = address.toLowerCase();
  if (lower === '0.0.0.0' || lower === '::') return ['may not be unspecified (0.0.0.0 or ::)'];
  if (lower.startsWith('127.') || lower === '::1') {
    return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  }
  if (lower.startsWith('169.254.') || /^fe[89ab]/.test(lower)) {
    return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  }
  if (lower.startsWith('224.0.0.') || lower.startsWith('ff02:')) {
    return ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'];
  }
  return [];
}

function validatePortUse(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const nodePorts = new Set<string>();
  const seen = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    const path = `spec.ports[${i}]`;
    if (spec.type === 'ClusterIP' && port?.nodePort) {
      errors.push(field.forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    if (port?.nodePort) {
      const key = `${port.protocol}/${port.nodePort}`;
      if (nodePorts.has(key)) errors.push(field.duplicate(`${path}.nodePort`, port.nodePort));
      nodePorts.add(key);
    }
    const key = `${port?.protocol}/${port?.port}`;
    if (seen.has(key)) errors.push(field.duplicate(path, { protocol: port?.protocol, port: port?.port }));
    seen.add(key);
  }
  return errors;
}

function validateLoadBalancer(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    if (spec.type !== 'LoadBalancer') {
      const detail = "may only be used when `type` is 'LoadBalancer'";
      errors.push(field.forbidden('spec.LoadBalancerSourceRanges', detail));
    } else if (ranges.some((range) => !isCIDR(range.trim()))) {
      const detail = 'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ';
      errors.push(field.invalid('spec.LoadBalancerSourceRanges', `[${ranges.join(' ')}]`, detail));
    }
  }
  if (spec.loadBalancerClass !== undefined && spec.loadBalancerClass !== null) {
    if (spec.type !== 'LoadBalancer') {
      const detail = "may only be used when `type` is 'LoadBalancer'";
      errors.push(field.forbidden('spec.loadBalancerClass', detail));
    }
    errors.push(...checkName(isQualifiedName, spec.loadBalancerClass, 'spec.loadBalancerClass'));
  }
  if (spec.loadBalancerIP && isIP(spec.loadBalancerIP) === 0) {
    errors.push(...ipAddress(spec.loadBalancerIP, 'spec.loadBalancerIP'));
  }
  return errors;
}

function validateTrafficPolicies(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const external = spec.externalTrafficPolicy;
  if (!isExternallyAccessible(spec)) {
    if (external) {
      const detail = 'may only be set for externally-accessible services';
      errors.push(field.invalid('spec.externalTrafficPolicy', external, detail));
    }
  } else if (!external) {
    errors.push(field.required('spec.externalTrafficPolicy'));
  } else if (external !== 'Cluster' && external !== 'Local') {
    errors.push(field.notSupported('spec.externalTrafficPolicy', external, ['Cluster', 'Local']));
  }
  const health = spec.healthCheckNodePort ?? 0;
  if (health !== 0 && !needsHealthCheckNodePort(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(field.invalid('spec.healthCheckNodePort', health, detail));
  } else if (health < 0) errors.push(...portNumber(health, 'spec.healthCheckNodePort'));
  const internal = spec.internalTrafficPolicy;
  if (internal !== undefined && internal !== null) {
    errors.push(...oneOf(internal, ['Cluster', 'Local'], 'spec.internalTrafficPolicy'));
  } else if (needsClusterIP(spec)) {
    errors.push(field.required('spec.internalTrafficPolicy'));
  }
  if (spec.trafficDistribution) {
    const supported = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
    errors.push(...oneOf(spec.trafficDistribution, supported, 'spec.trafficDistribution'));
  }
  return errors;
}

/** What an update may not change: allocated addresses and the load balancer's class. */
export function validateServiceUpdate(service: DeepReadonly<Service>, old: DeepReadonly<Service>): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = service;
  const before = old.spec;
  if (needsClusterIP(before) && needsClusterIP(spec)) {
    const was = before.clusterIPs ?? [];
    const now = spec.clusterIPs ?? [];
    if (was[0] !== undefined && was[0] !== now[0]) {
      errors.push(field.invalid('spec.clusterIPs[0]', now, 'may not change once set'));
    }
    if (was[1] !== undefined && now[1] !== undefined && was[1] !== now[1]) {
      errors.push(field.invalid('spec.clusterIPs[1]', now, 'may not change once set'));
    }
    const family = before.ipFamilies?.[0];
    if (family !== undefined && spec.ipFamilies?.[0] !== undefined && spec.ipFamilies[0] !== family) {
      errors.push(field.invalid('spec.ipFamilies[0]', spec.ipFamilies, 'may not change once set'));
    }
  }
  if (before.type === 'LoadBalancer' && spec.type === 'LoadBalancer') {
    if (before.loadBalancerClass !== spec.loadBalancerClass) {
      const value = spec.loadBalancerClass ?? null;
      errors.push(field.invalid('spec.loadBalancerClass', value, 'may not change once set'));
    }
  }
  return [...errors, ...validateService(service)];
}

/** Addresses and names that a load balancer reports. */
export function validateLoadBalancerStatus(
  ingress: readonly DeepReadonly<{ ip?: string; hostname?: string; ipMode?: string }>[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < (ingress?.length ?? 0); i++) {
    const { ip, hostname, ipMode } = ingress?.[i] ?? {};
    const at = `${path}[${i}]`;
    if (ip && isIP(ip) === 0) errors.push(field.invalid(`${at}.ip`, ip, 'must be a valid IP address'));
    if (!ip && ipMode !== undefined && ipMode !== null) {
      errors.push(field.forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    } else if (ipMode !== undefined && ipMode !== null && ipMode !== 'VIP' && ipMode !== 'Proxy') {
      errors.push(field.notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
    }
    if (!hostname) continue;
    errors.push(...checkName(isDNS1123Subdomain, hostname, `${at}.hostname`));
    if (isIP(hostname) !== 0) {
      errors.push(field.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
  }
  return errors;
}
