import type { DiscoveryEndpointPort, Endpoint, Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { isPodReady, type ReadPod } from '../pod-status.ts';
import { inUpstreamsOrder } from '../port-order.ts';
import { hostnameIn, type ReadService, targetPort } from '../service-pods.ts';
import type { AddressType, EndpointGroup } from '../slice-plan.ts';
import { wantsTopologyHints } from './topology-hints.ts';

/** The endpoints of a Service in one address family, grouped by the ports that they resolve to. */
export function endpointGroups(
  service: ReadService,
  pods: readonly ReadPod[],
  addressType: AddressType,
  nodeOf: (name: string) => DeepReadonly<Node> | undefined,
): EndpointGroup[] {
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const addresses = addressesOf(pod, addressType);
    if (addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    let group = groups.get(key);
    if (group === undefined) {
      group = { ports: inUpstreamsOrder(ports), endpoints: [] };
      groups.set(key, group);
    }
    group.endpoints.push(endpointOf(service, pod, addresses, nodeOf));
  }
  return [...groups.values()];
}

function addressesOf(pod: ReadPod, addressType: AddressType): string[] {
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
  return ips.filter((ip) => ip !== '' && ip.includes(':') === (addressType === 'IPv6'));
}

function portsOf(service: ReadService, pod: ReadPod): DiscoveryEndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPort(pod, port);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        protocol: port.protocol ?? 'TCP',
        port: number,
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });
}

function endpointOf(
  service: ReadService,
  pod: ReadPod,
  addresses: string[],
  nodeOf: (name: string) => DeepReadonly<Node> | undefined,
): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const { namespace, name, uid } = pod.metadata;
  const { nodeName } = pod.spec;
  const zone = nodeName ? nodeOf(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'] : undefined;
  const hostname = hostnameIn(service, pod);
  const distribution = wantsTopologyHints(service) ? undefined : service.spec.trafficDistribution;
  const hints = ready ? hintsFor(distribution, nodeName, zone) : undefined;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** For whom an endpoint is, as the Service wants its traffic distributed; who does not know nodes goes by zones. */
function hintsFor(
  distribution: string | undefined,
  nodeName: string | undefined,
  zone: string | undefined,
): Endpoint['hints'] | undefined {
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  switch (distribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return zone === undefined ? undefined : forZones;
    case 'PreferSameNode':
      return nodeName ? { forNodes: [{ name: nodeName }], ...forZones } : undefined;
    default:
      return undefined;
  }
}
