import type { EndpointAddress, EndpointSubset } from '../../api/generated/types.ts';
import { isPodReady, type ReadPod } from '../pod-status.ts';
import { hostnameIn, type ReadService, targetPort } from '../service-pods.ts';

interface Group {
  readonly ports: NonNullable<EndpointSubset['ports']>;
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** The subsets of a Service's Endpoints: pods with the same ports together, addresses in order. */
export function subsetsOf(service: ReadService, pods: readonly ReadPod[]): EndpointSubset[] {
  const groups = new Map<string, Group>();
  const unready = service.spec.publishNotReadyAddresses === true;
  for (const pod of pods) {
    if (!unready && pod.metadata.deletionTimestamp !== undefined) continue;
    const ip = addressOf(service, pod);
    if (ip === undefined) continue;
    const ports = portsOf(service, pod);
    if (ports === undefined) continue;
    const key = JSON.stringify(ports);
    let group = groups.get(key);
    if (group === undefined) {
      group = { ports, ready: [], notReady: [] };
      groups.set(key, group);
    }
    (unready || isPodReady(pod) ? group.ready : group.notReady).push(endpointAddress(service, pod, ip));
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length === 0 ? {} : { addresses: ready.sort(byIP) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.sort(byIP) }),
      ...(ports.length === 0 ? {} : { ports }),
    }));
}

/** undefined: the Service has ports, and the pod has none of them. */
function portsOf(service: ReadService, pod: ReadPod): Group['ports'] | undefined {
  const wanted = service.spec.ports ?? [];
  const ports: Group['ports'] = [];
  for (const port of wanted) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    ports.push({
      ...(port.name ? { name: port.name } : {}),
      port: number,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    });
  }
  return wanted.length > 0 && ports.length === 0 ? undefined : ports;
}

/** Endpoints have one family: that of the Service's first address. */
function addressOf(service: ReadService, pod: ReadPod): string | undefined {
  const wantsIPv6 = service.spec.ipFamilies?.[0] === 'IPv6';
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
  return ips.find((ip) => ip.includes(':') === wantsIPv6);
}

function endpointAddress(service: ReadService, pod: ReadPod, ip: string): EndpointAddress {
  const { namespace, name, uid } = pod.metadata;
  const hostname = hostnameIn(service, pod);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function byIP(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1;
}
