import { badRequest } from '../../api/errors.ts';
import type { Node, Pod, Service } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';
import { readyEndpoint, unavailable } from '../services/service-endpoint.ts';

export interface ProxyAddress {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export interface ProxyTarget extends ProxyAddress {
  readonly path: string;
}

export interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

const KUBELET_PORT = 10250;
const ADDRESS_TYPES = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];

/** `name`, `name:port`, `scheme:name:port`. */
export function splitProxyName(text: string): ProxyName {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] ?? '', port: parts[1] ?? '' };
  if (parts.length === 3) return { scheme: parts[0] ?? '', name: parts[1] ?? '', port: parts[2] ?? '' };
  throw badRequest(`invalid proxy name ${JSON.stringify(text)}`);
}

/** Where a node's kubelet listens. */
export function targetOfNode(node: DeepReadonly<Node>, port = ''): ProxyAddress {
  const addresses = node.status?.addresses ?? [];
  const host = ADDRESS_TYPES.map((type) => addresses.find((address) => address.type === type)?.address).find(Boolean);
  if (host === undefined) {
    throw unavailable(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`);
  }
  const kubelet = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT;
  return { scheme: 'https', host, port: port === '' ? kubelet : Number(port) };
}

export function targetOfPod(pod: DeepReadonly<Pod>, { scheme, port }: ProxyName): ProxyAddress {
  const host = pod.status?.podIP;
  if (!host) throw badRequest('address not allowed');
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const number =
    port === ''
      ? (ports[0]?.containerPort ?? 80)
      : (portNumber(port) ?? ports.find((one) => one.name === port)?.containerPort);
  if (number === undefined) throw badRequest(`pod has no port named ${JSON.stringify(port)}`);
  return { scheme: scheme === 'https' ? 'https' : 'http', host, port: number };
}

/** One ready endpoint of the Service, chosen at random. */
export function targetOfService(service: DeepReadonly<Service>, named: ProxyName, reader: ObjectReader): ProxyAddress {
  const { name = '' } = service.metadata as { name?: string };
  const ports = service.spec?.ports ?? [];
  const wanted =
    named.port === '' && ports.length === 1
      ? ports[0]
      : ports.find((port) => port.name === named.port || port.port === portNumber(named.port));
  if (wanted === undefined)
    throw unavailable(`no service port ${JSON.stringify(named.port)} found for service ${JSON.stringify(name)}`);
  const scheme = named.scheme === 'https' ? 'https' : 'http';
  return { scheme, ...readyEndpoint(reader, service, wanted) };
}

function portNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
