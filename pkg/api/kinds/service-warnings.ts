import type { DeepReadonly } from '../../base/json.ts';
import type { Service } from '../generated/types.ts';
import { cidrWarnings } from '../validation/cidr.ts';
import { ipWarnings } from '../validation/ip.ts';
import { isHeadless } from './service-update.ts';

const topologyHints = 'service.kubernetes.io/topology-aware-hints';
const topologyMode = 'service.kubernetes.io/topology-mode';

/** Warnings about a new or changed Service. Upstream's pkg/api/service/warnings.go. */
export function serviceWarnings(service: DeepReadonly<Service>): string[] {
  const { spec } = service;
  const warnings: string[] = [];
  if (service.metadata.annotations?.[topologyHints] !== undefined) {
    warnings.push(`annotation ${topologyHints} is deprecated, please use ${topologyMode} instead`);
  }
  if (!spec) return warnings;
  const headless = spec.type === 'ClusterIP' && isHeadless(spec);
  const external = spec.externalIPs ?? [];
  const named = spec.type === 'ExternalName';
  if (!headless && !named) {
    for (const [i, ip] of (spec.clusterIPs ?? []).entries()) warnings.push(...ipWarnings(ip, `spec.clusterIPs[${i}]`));
  }
  if (headless) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (external.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  for (const [i, ip] of external.entries()) warnings.push(...ipWarnings(ip, `spec.externalIPs[${i}]`));
  if (external.length > 0 && !headless && !named) {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (spec.loadBalancerIP) warnings.push(...ipWarnings(spec.loadBalancerIP, 'spec.loadBalancerIP'));
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    warnings.push(...cidrWarnings(range, `spec.loadBalancerSourceRanges[${i}]`));
  }
  if (named && external.length > 0) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (!named && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}

/** Warnings about a changed status. */
export function serviceStatusWarnings({ status }: DeepReadonly<Service>): string[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip }, i) => (ip ? ipWarnings(ip, `status.loadBalancer.ingress[${i}]`) : []));
}
