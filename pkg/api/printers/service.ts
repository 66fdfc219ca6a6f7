import type { LoadBalancerIngress, Service } from '../generated/types.ts';
import { formatLabels } from './format.ts';
import { age, ageColumn, definePrinter, nameColumn, type Printable, text, wide } from './printer.ts';

export const servicePrinter = definePrinter<Service>(
  [
    nameColumn,
    text('Type', 'How the service is exposed.'),
    text('Cluster-IP', 'The virtual address inside the cluster.'),
    text('External-IP', 'The addresses at which the service is reached from outside.'),
    text('Port(s)', 'The ports, each with its node port, if it has one, and protocol.'),
    ageColumn,
    wide('Selector', 'The labels of the pods that serve it.'),
  ],
  (service, nowMs) => [
    service.metadata.name,
    service.spec?.type ?? '',
    service.spec?.clusterIPs?.[0] ?? '<none>',
    externalIP(service),
    ports(service),
    age(service, nowMs),
    formatLabels(service.spec?.selector),
  ],
);

function externalIP(service: Printable<Service>): string {
  const own = service.spec?.externalIPs ?? [];
  switch (service.spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.length === 0 ? '<none>' : own.join(',');
    case 'LoadBalancer': {
      const balanced = loadBalancerAddresses(service.status?.loadBalancer?.ingress);
      const all = balanced === '' ? own : [balanced, ...own];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return service.spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

/** The addresses of a load balancer, sorted and joined; '' when it has none yet. */
export function loadBalancerAddresses(
  ingress: readonly Pick<LoadBalancerIngress, 'ip' | 'hostname'>[] | undefined,
): string {
  const addresses = new Set((ingress ?? []).map(({ ip, hostname }) => ip || hostname || ''));
  addresses.delete('');
  return [...addresses].sort().join(',');
}

function ports(service: Printable<Service>): string {
  const list = (service.spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return list.length === 0 ? '<none>' : list.join(',');
}
