import type { EndpointSlice, LoadBalancerIngress, Node, Service } from '../../api/generated/types.ts';
import { outsideAddresses, takesOutsideTraffic } from '../../api/node-addresses.ts';
import { type DeepReadonly, keyOf } from '../../api/object.ts';

/** `loadBalancerClass` of Services that ask for this implementation by name. */
export const LOAD_BALANCER_CLASS = 'kube-lite.io/node-addresses';

export interface LoadBalancerState {
  /** All Services, of whatever type. */
  readonly services: Iterable<DeepReadonly<Service>>;
  readonly nodes: Iterable<DeepReadonly<Node>>;
  slicesOf(service: DeepReadonly<Service>): readonly DeepReadonly<EndpointSlice>[];
  /** TCP ports of every node that no Service may take, and whose they are. */
  readonly reservedPorts: ReadonlyMap<number, string>;
  /** TCP ports that belong to the Ingresses from the moment (an RFC 3339 time) there is one; absent: there is none. */
  readonly ingress?: { readonly since: string; readonly ports: readonly number[] };
}

export interface PlannedBalancer {
  readonly ingress: readonly LoadBalancerIngress[];
  /** Why some addresses, or all, are missing: one sentence. */
  readonly conflict?: string;
  /** No node takes traffic from outside for it. */
  readonly noNodes: boolean;
}

/** Whether a Service asks for addresses, and asks us. */
export function wantsLoadBalancer({ spec }: DeepReadonly<Service>): boolean {
  return (
    spec.type === 'LoadBalancer' &&
    (spec.loadBalancerClass === undefined || spec.loadBalancerClass === LOAD_BALANCER_CLASS)
  );
}

/**
 * The addresses of every Service that wants some, by its key. A node's address and port belong to one Service: first to
 * who has it, then to who is older.
 */
export function planLoadBalancers(state: LoadBalancerState): Map<string, PlannedBalancer> {
  const wanting = [...state.services].filter(
    (service) => wantsLoadBalancer(service) && service.metadata.deletionTimestamp === undefined,
  );
  const claims = new Map<string, string>();
  const planned = new Map<string, PlannedBalancer>();
  if (wanting.length === 0) return planned;
  const nodes = [...state.nodes].filter(takesOutsideTraffic).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const service of wanting.sort(byClaim)) planned.set(keyOf(service), plan(service, nodes, claims, state));
  return planned;
}

function plan(
  service: DeepReadonly<Service>,
  nodes: readonly DeepReadonly<Node>[],
  claims: Map<string, string>,
  state: LoadBalancerState,
): PlannedBalancer {
  const { spec } = service;
  const eligible = spec.externalTrafficPolicy === 'Local' ? withEndpoints(nodes, state.slicesOf(service)) : nodes;
  const ports = (spec.ports ?? []).map(({ port, protocol = 'TCP' }) => ({ port, protocol }));
  const taken = ports.flatMap(({ port, protocol }) => heldByNode(service, port, protocol, state));
  if (taken[0] !== undefined) return { ingress: [], conflict: taken[0], noNodes: false };
  const ingress: LoadBalancerIngress[] = [];
  let conflict: string | undefined;
  for (const address of wantedAddresses(service, eligible)) {
    const keys = ports.map(({ port, protocol }) => `${protocol} port ${port} of ${address}`);
    const key = keys.find((claim) => claims.has(claim));
    if (key !== undefined) {
      conflict ??= `${key} belongs to Service ${claims.get(key)}`;
      continue;
    }
    for (const claim of keys) claims.set(claim, keyOf(service));
    ingress.push({ ip: address, ipMode: 'VIP' });
  }
  return { ingress, noNodes: eligible.length === 0, ...(conflict === undefined ? {} : { conflict }) };
}

function heldByNode(
  service: DeepReadonly<Service>,
  port: number,
  protocol: string,
  { reservedPorts, ingress }: LoadBalancerState,
): string[] {
  if (protocol !== 'TCP') return [];
  const owner = reservedPorts.get(port);
  if (owner !== undefined) return [`port ${port} of the nodes belongs to ${owner}`];
  if (ingress === undefined || !ingress.ports.includes(port)) return [];
  return (service.metadata.creationTimestamp ?? '') < ingress.since
    ? []
    : [`port ${port} of the nodes belongs to the Ingresses`];
}

/** `spec.loadBalancerIP` chooses among the nodes' addresses; one that no node has is ignored, as clouds may. */
function wantedAddresses(service: DeepReadonly<Service>, nodes: readonly DeepReadonly<Node>[]): string[] {
  const { ipFamilies, loadBalancerIP } = service.spec;
  const families = (ipFamilies ?? ['IPv4']) as readonly ('IPv4' | 'IPv6')[];
  const all = families.flatMap((family) => nodes.flatMap((node) => outsideAddresses(node, family)));
  const unique = [...new Set(all)];
  return loadBalancerIP && unique.includes(loadBalancerIP) ? [loadBalancerIP] : unique;
}

function withEndpoints(
  nodes: readonly DeepReadonly<Node>[],
  slices: readonly DeepReadonly<EndpointSlice>[],
): readonly DeepReadonly<Node>[] {
  const ready = new Set(
    slices.flatMap(({ endpoints }) =>
      (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).map(({ nodeName }) => nodeName),
    ),
  );
  return nodes.filter(({ metadata }) => ready.has(metadata.name));
}

function byClaim(a: DeepReadonly<Service>, b: DeepReadonly<Service>): number {
  const rank = ({ status, metadata }: DeepReadonly<Service>): string => {
    const holds = (status?.loadBalancer?.ingress ?? []).length > 0;
    return `${holds ? 0 : 1} ${metadata.creationTimestamp ?? ''} ${metadata.namespace}/${metadata.name}`;
  };
  return rank(a) < rank(b) ? -1 : 1;
}
