import { isIP } from 'node:net';
import type { DeepReadonly } from '../../base/json.ts';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import { legacyCIDR } from '../validation/cidr.ts';
import * as field from '../validation/field-error.ts';
import { withoutZeros } from '../validation/ip.ts';
import { validateLabels } from '../validation/label-selector.ts';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../validation/names.ts';
import { checkName, ipAddress, oneOf, portNumber, portNumOrName } from '../validation/values.ts';
import { isExternallyAccessible } from './service-defaults.ts';
import { isHeadless, needsClusterIP, needsHealthCheckNodePort } from './service-update.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<ServiceSpec>;

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const maxAffinitySeconds = 86_400;

export function validateService(service: DeepReadonly<Service>): FieldError[] {
  const { spec } = service;
  const errors = validateTopologyMode(service.metadata.annotations);
  const headless = isHeadless(spec);
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') errors.push(field.required('spec.ports'));
  errors.push(...validateType(spec));
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (port) errors.push(...validatePort(port, ports.length > 1, names, `spec.ports[${i}]`));
  }
  errors.push(...validateLabels(spec.selector, 'spec.selector'));
  errors.push(...validateAffinity(spec));
  errors.push(...validateClusterIPs(spec));
  const external = spec.externalIPs ?? [];
  for (let i = 0; i < external.length; i++) errors.push(...publicAddress(external[i] ?? '', `spec.externalIPs[${i}]`));
  errors.push(...oneOf(spec.type, types, 'spec.type'));
  errors.push(...validatePortUse(spec));
  errors.push(...validateLoadBalancer(service));
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
    if ((spec.ipFamilies?.length ?? 0) > 0) {
      errors.push(field.forbidden('spec.ipFamilies', 'may not be set for ExternalName services'));
    }
    if (spec.ipFamilyPolicy !== undefined && spec.ipFamilyPolicy !== null) {
      errors.push(field.forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'));
    }
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(field.required('spec.externalName'));
    else errors.push(...checkName(isDNS1123Subdomain, name, 'spec.externalName'));
  }
  return errors;
}

/** Two annotations for one thing, one of them older. */
function validateTopologyMode(annotations: Readonly<Record<string, string>> | undefined): FieldError[] {
  const [hints, mode] = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode'];
  const value = annotations?.[mode];
  if (value === undefined || annotations?.[hints] === undefined || value === annotations[hints]) return [];
  const detail = `must match annotations[${hints}] when both are specified`;
  return [field.invalid(`metadata.annotations[${mode}]`, value, detail)];
}

function validatePort(
  port: DeepReadonly<ServicePort>,
  requireName: boolean,
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
  return errors;
}

function validateAffinity(spec: Spec): FieldError[] {
  const errors = oneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity');
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    const path = 'spec.sessionAffinityConfig';
    const detail = 'when session affinity type is ClientIP';
    const seconds = config?.clientIP?.timeoutSeconds;
    if (!config) errors.push(field.required(path, detail));
    else if (!config.clientIP) errors.push(field.required(`${path}.clientIP`, detail));
    else if (typeof seconds !== 'number') errors.push(field.required(`${path}.clientIP.timeoutSeconds`, detail));
    else {
      if (seconds <= 0 || seconds > maxAffinitySeconds) {
        const detail = `must be greater than 0 and less than ${maxAffinitySeconds}`;
        errors.push(field.invalid(`${path}.clientIP.timeoutSeconds`, seconds, detail));
      }
    }
  } else if (spec.sessionAffinity === 'None' && config) {
    const detail = 'must not be set when session affinity is None';
    errors.push(field.forbidden('spec.sessionAffinityConfig', detail));
  }
  return errors;
}

/** Cluster IPs, families and policy by themselves, of any Service that may have them. */
export function validateClusterIPs(spec: Spec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const path = 'spec.clusterIPs';
  const addresses = spec.clusterIPs ?? [];
  if (spec.clusterIP && addresses.length === 0) errors.push(field.required(path));
  else if (spec.clusterIP && addresses[0] !== spec.clusterIP) {
    errors.push(field.invalid(path, addresses, 'first value must match `clusterIP`'));
  } else if (!spec.clusterIP && addresses.length > 0) {
    errors.push(field.invalid(path, addresses, 'must be empty when `clusterIP` is not specified'));
  }
  errors.push(...validateFamilies(spec));
  const malformed = addresses.flatMap((address, i) => {
    if (i > 0 || address !== 'None') return ipAddress(address, `${path}[${i}]`);
    return addresses.length > 1 ? [field.invalid(path, addresses, "'None' must be the first and only value")] : [];
  });
  errors.push(...malformed);
  if (addresses.length > 2) errors.push(field.invalid(path, addresses, 'may only hold up to 2 values'));
  return malformed.length > 0 ? errors : [...errors, ...validateAddressFamilies(spec, addresses, path)];
}

function validateFamilies(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const families = spec.ipFamilies ?? [];
  for (const [i, family] of families.entries()) {
    const at = `spec.ipFamilies[${i}]`;
    if (family !== 'IPv4' && family !== 'IPv6') errors.push(field.notSupported(at, family, ['IPv4', 'IPv6']));
    if (families.indexOf(family) < i) errors.push(field.duplicate(at, family));
  }
  const policy = spec.ipFamilyPolicy;
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  if (policy !== undefined && policy !== null && !policies.includes(policy)) {
    errors.push(field.notSupported('spec.ipFamilyPolicy', policy, policies));
  }
  return errors;
}

/** At most one address a family, each of the family at its place in the list. */
function validateAddressFamilies(spec: Spec, addresses: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const familyOf = (address: string): string => (address.includes(':') ? 'IPv6' : 'IPv4');
  if (addresses.length > 1 && new Set(addresses.map(familyOf)).size === 1) {
    errors.push(field.invalid(path, addresses, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  for (const [i, address] of addresses.entries()) {
    const family = spec.ipFamilies?.[i];
    if ((family !== 'IPv4' && family !== 'IPv6') || family === familyOf(address)) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(field.invalid(`${path}[${i}]`, address, detail));
  }
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
  if (lower === '0.0.0.0' || lower === '::') return [`may not be unspecified (${address})`];
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

const onlyLoadBalancers = "may only be used when `type` is 'LoadBalancer'";
const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function validateLoadBalancer({ metadata, spec }: DeepReadonly<Service>): FieldError[] {
  const errors: FieldError[] = [];
  const balanced = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[rangesAnnotation];
  // Blanks around ranges are allowed for the sake of the annotation that came before the field.
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges';
    if (!balanced) errors.push(field.forbidden(path, onlyLoadBalancers));
    errors.push(...ranges.flatMap((range, i) => legacyCIDR(range.trim(), `${path}[${i}]`)));
  } else if (annotation !== undefined) {
    const path = `metadata.annotations[${rangesAnnotation}]`;
    if (!balanced) errors.push(field.forbidden(path, onlyLoadBalancers));
    if (annotation.trim() !== '')
      errors.push(...annotation.split(',').flatMap((range) => legacyCIDR(range.trim(), path)));
  }
  if (!balanced && spec.allocateLoadBalancerNodePorts !== undefined) {
    errors.push(field.forbidden('spec.allocateLoadBalancerNodePorts', onlyLoadBalancers));
  }
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined || loadBalancerClass === null) return errors;
  if (!balanced) errors.push(field.forbidden('spec.loadBalancerClass', onlyLoadBalancers));
  else errors.push(...checkName(isQualifiedName, loadBalancerClass, 'spec.loadBalancerClass'));
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
  const healthPath = 'spec.healthCheckNodePort';
  if (needsHealthCheckNodePort(spec)) {
    if (health === 0) errors.push(field.required(healthPath));
    else errors.push(...portNumber(health, healthPath));
  } else if (health !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(field.invalid(healthPath, health, detail));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined || internal === null) {
    if (needsClusterIP(spec) && types.includes(spec.type ?? '')) {
      errors.push(field.required('spec.internalTrafficPolicy'));
    }
  } else if (internal !== 'Cluster' && internal !== 'Local') {
    errors.push(field.notSupported('spec.internalTrafficPolicy', internal, ['Cluster', 'Local']));
  }
  const distribution = spec.trafficDistribution;
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (distribution !== undefined && distribution !== null && !distributions.includes(distribution)) {
    errors.push(field.notSupported('spec.trafficDistribution', distribution, distributions));
  }
  return errors;
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
    if (ip) errors.push(...ipAddress(ip, `${at}.ip`));
    if (!ip && ipMode !== undefined && ipMode !== null) {
      errors.push(field.forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    } else if (ipMode !== undefined && ipMode !== null && ipMode !== 'VIP' && ipMode !== 'Proxy') {
      errors.push(field.notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
    }
    if (!hostname) continue;
    errors.push(...checkName(isDNS1123Subdomain, hostname, `${at}.hostname`));
    if (isIP(withoutZeros(hostname)) !== 0) {
      errors.push(field.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
  }
  return errors;
}
