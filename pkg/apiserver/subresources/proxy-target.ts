import { badRequest, notFound } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { EndpointAddress, Node, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';
import type { ProxyAddress } from '../proxy/pass-request.ts';
import { unavailable } from '../services/service-endpoint.ts';

export interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

const KUBELET_PORT = 10250;
const ADDRESS_TYPES = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];

const SCHEMES: ReadonlySet<string> = new Set(['', 'http', 'https']);

/** `name`, `name:port`, `scheme:name:port`. Throws BadRequest. */
export function splitProxyName({ name, resource }: { readonly name: string; readonly resource: string }): ProxyName {
  const parts = name.split(':');
  const [scheme = '', plain = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || plain === '' || !SCHEMES.has(scheme))
    throw badRequest(`invalid ${resource.replace(/s$/, '')} request ${JSON.stringify(name)}`);
  return { scheme, name: plain, port };
}

/** On nodes that only pretend to run their pods (`kube-lite agent --hollow`). */
const HOLLOW_LABEL = 'kube-lite/hollow';

/**
 * Where a node's kubelet listens, or another port of the node. Throws ServiceUnavailable for a node without address, BadRequest for
 * one without a kubelet that answers.
 */
export function targetOfNode(
  node: DeepReadonly<Node>,
  named: ProxyName = { scheme: '', name: '', port: '' },
): ProxyAddress & { readonly isKubelet: boolean } {
  if (node.metadata.labels?.[HOLLOW_LABEL] === 'true') {
    const why = 'it only pretends to run its pods, so there are no logs and nothing to attach to or to connect to';
    throw badRequest(`node ${node.metadata.name} is hollow: ${why}`);
  }
  const addresses = node.status?.addresses ?? [];
  const host = ADDRESS_TYPES.map((type) => addresses.find((address) => address.type === type)?.address).find(Boolean);
  if (host === undefined) {
    throw unavailable(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`);
  }
  const kubelet = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT;
  if (named.port === '' || named.port === String(kubelet))
    return { scheme: 'https', host, port: kubelet, isKubelet: true };
  return { scheme: schemeOf(named), host, port: portNumber(named.port), isKubelet: false };
}

/** The pod's address; without a port in the name the first that a container declares, or the scheme's own. */
export function targetOfPod(pod: DeepReadonly<Pod>, named: ProxyName): ProxyAddress {
  const scheme = schemeOf(named);
  const declared = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const port = named.port === '' ? (declared ?? (scheme === 'https' ? 443 : 80)) : portNumber(named.port);
  return { scheme, host: pod.status?.podIP ?? '', port };
}

/**
 * One ready endpoint of the Service, chosen at random: only addresses of the pods that they are said to be of, so that nobody
 * can have the API server connect to an address that is not theirs. Throws NotFound or ServiceUnavailable.
 */
export function targetOfService(
  key: { readonly namespace: string; readonly name: string },
  named: ProxyName,
  reader: ObjectReader,
): ProxyAddress {
  const { namespace, name } = key;
  let portName = named.port;
  if (/^[+-]?\d+$/.test(portName)) {
    const service = reader.get(resources.services, key);
    if (service === undefined) throw notFound(resources.services, name);
    const number = Number(portName);
    const declared = service.spec?.ports?.find(({ port }) => port === number);
    if (declared === undefined)
      throw unavailable(`no service port ${number} found for service ${JSON.stringify(name)}`);
    portName = declared.name ?? '';
  }
  const endpoints = reader.get(resources.endpoints, key);
  // Upstream names the resource of the request, whatever was looked for.
  if (endpoints === undefined) throw notFound(resources.services, name);
  const candidates = (endpoints.subsets ?? []).flatMap((subset) => {
    const port = subset.ports?.find((one) => (one.name ?? '') === portName)?.port;
    if (port === undefined) return [];
    return (subset.addresses ?? [])
      .filter((address) => isOwnAddress(address, namespace, reader))
      .map(({ ip }) => ({ scheme: schemeOf(named), host: ip, port }));
  });
  const chosen = candidates[Math.floor(Math.random() * candidates.length)];
  if (chosen === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return chosen;
}

function isOwnAddress(address: DeepReadonly<EndpointAddress>, namespace: string, reader: ObjectReader): boolean {
  const { targetRef, ip } = address;
  if (targetRef?.name === undefined || targetRef.namespace !== namespace) return false;
  const pod = reader.get(resources.pods, { namespace, name: targetRef.name });
  return pod?.status?.podIPs?.some((one) => one.ip === ip) === true;
}

function schemeOf({ scheme }: ProxyName): 'http' | 'https' {
  return scheme === 'https' ? 'https' : 'http';
}

/** Throws ServiceUnavailable: nothing can be reached under a port that is no number. */
function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw unavailable(`error trying to reach service: dial tcp: unknown port tcp/${text}`);
  return port;
}
