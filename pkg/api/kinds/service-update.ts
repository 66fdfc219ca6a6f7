import type { DeepReadonly } from '../../base/json.ts';
import { equalJSON } from '../../base/json.ts';
import type { Service, ServiceSpec } from '../generated/types.ts';
import { isExternallyAccessible } from './service-defaults.ts';

type Spec = DeepReadonly<ServiceSpec>;

/** Initial status, and `clusterIPs` from `clusterIP`. */
export function prepareServiceForCreate(service: Service): void {
  service.status = { loadBalancer: {} };
  const { spec } = service;
  if (spec.clusterIP && isEmpty(spec.clusterIPs)) spec.clusterIPs = [spec.clusterIP];
}

/** Carries allocated values over and clears those that a change of type leaves without meaning. */
export function prepareServiceForUpdate(service: Service, old: DeepReadonly<Service>): void {
  const { spec } = service;
  const before = old.spec;
  carryAllocated(spec, before);
  normalizeClusterIPs(spec, before);
  dropTypeDependent(spec, before);
  if (spec.type !== 'LoadBalancer') {
    service.status = { ...service.status, loadBalancer: {} };
  }
}

export function needsClusterIP(spec: Spec): boolean {
  return spec.type !== 'ExternalName';
}

export function needsNodePort(spec: Spec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheckNodePort(spec: Spec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

export function isHeadless(spec: Spec): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

function isEmpty(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list === null || list.length === 0;
}

function carryAllocated(spec: ServiceSpec, before: Spec): void {
  if (needsClusterIP(before) && needsClusterIP(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
    if (isEmpty(spec.clusterIPs) && spec.clusterIP === before.clusterIP && before.clusterIPs) {
      spec.clusterIPs = [...before.clusterIPs];
    }
  }
  if (needsNodePort(before) && needsNodePort(spec)) carryNodePorts(spec, before);
  if (needsHealthCheckNodePort(before) && needsHealthCheckNodePort(spec) && before.healthCheckNodePort) {
    spec.healthCheckNodePort ||= before.healthCheckNodePort;
  }
}

function carryNodePorts(spec: ServiceSpec, before: Spec): void {
  const used = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
  const byName = new Map((before.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const nodePort = byName.get(port.name ?? '') ?? 0;
    if (nodePort === 0 || used.has(nodePort)) continue;
    port.nodePort = nodePort;
    used.add(nodePort);
  }
}

function normalizeClusterIPs(spec: ServiceSpec, before: Spec): void {
  const unchangedList = equalJSON(spec.clusterIPs ?? [], before.clusterIPs ?? []);
  if (spec.clusterIP === before.clusterIP || !unchangedList) return;
  if (!spec.clusterIP) delete spec.clusterIPs;
  else if (isEmpty(spec.clusterIPs)) spec.clusterIPs = [spec.clusterIP];
  else spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)];
}

function dropTypeDependent(spec: ServiceSpec, before: Spec): void {
  if (needsClusterIP(before) && !needsClusterIP(spec)) {
    if (spec.clusterIP === before.clusterIP && equalJSON(spec.clusterIPs, before.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (equalJSON(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) delete spec.ipFamilyPolicy;
    if (spec.internalTrafficPolicy === before.internalTrafficPolicy) delete spec.internalTrafficPolicy;
  }
  const nodePorts = (ports: Spec['ports']): number[] => (ports ?? []).map((port) => port.nodePort ?? 0);
  if (needsNodePort(before) && !needsNodePort(spec) && equalJSON(nodePorts(spec.ports), nodePorts(before.ports))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheckNodePort(before) && !needsHealthCheckNodePort(spec)) {
    if (spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec)) {
    if (spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
}
