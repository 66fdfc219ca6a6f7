import type { Service, ServicePort, ServiceSpec } from '../generated/types.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';

const specFields = [
  'ports',
  'selector',
  'clusterIP',
  'clusterIPs',
  'externalIPs',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
  'externalName',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'publishNotReadyAddresses',
  'ipFamilies',
];
const affinityTimeoutSeconds = 10_800;

/** Defaults of a Service, before cluster IPs and node ports are allocated. */
export function defaultService(service: Service): void {
  const spec = childObject<ServiceSpec>(service, 'spec');
  dropZero(spec, specFields);
  defaultPlain(spec, 'type', 'ClusterIP');
  defaultPlain(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinityTimeoutSeconds } };
  }
  for (const port of spec.ports ?? []) defaultServicePort(port);
  if (isExternallyAccessible(spec)) defaultPlain(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    defaultPointer(spec, 'internalTrafficPolicy', 'Cluster');
  }
  if (spec.type === 'LoadBalancer') {
    defaultPointer(spec, 'allocateLoadBalancerNodePorts', true);
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
      if (ingress.ip) defaultPointer(ingress, 'ipMode', 'VIP');
    }
  }
  childObject(childObject(service, 'status'), 'loadBalancer');
}

/** Node ports, load balancers and cluster IPs with external IPs take an external traffic policy. */
export function isExternallyAccessible(spec: {
  readonly type?: string;
  readonly externalIPs?: readonly string[];
}): boolean {
  return (
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
  );
}

function defaultServicePort(port: ServicePort): void {
  dropZero(port, ['name', 'nodePort']);
  defaultPlain(port, 'protocol', 'TCP');
  defaultPlain(port, 'targetPort', port.port);
}
