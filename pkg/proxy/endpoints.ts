import type { Endpoint, EndpointSlice, ObjectReference, ServicePort } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { type Family, familyOf, normalAddress } from './family.ts';

/** One backend of a Service port. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  /** Still answers although it is being terminated. */
  readonly servingWhileTerminating: boolean;
  /** On this node. */
  readonly local: boolean;
  /** May be a pod of this node (also backends that do not say where they are). */
  readonly maybeLocal: boolean;
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

export interface NodeView {
  readonly nodeName: string;
  /** The node's topology.kubernetes.io/zone; '' when it has none. */
  readonly zone: string;
}

/** True for pods known to be on their way out, whatever the slice says: the slice follows a little later. */
export type TerminatingCheck = (target: DeepReadonly<ObjectReference>) => boolean;

/** All backends of a Service port in one family, without doubles, in a stable order. */
export function backendsOf(
  slices: readonly DeepReadonly<EndpointSlice>[],
  port: DeepReadonly<ServicePort>,
  family: Family,
  node: NodeView,
  isTerminating: TerminatingCheck,
): Backend[] {
  const found = new Map<string, Backend>();
  for (const slice of slices) {
    if (slice.addressType !== family.kubernetes) continue;
    const number = portNumber(slice, port);
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const backend = toBackend(endpoint, number, family, node, isTerminating);
      if (backend === undefined) continue;
      const key = `${backend.address} ${number}`;
      const other = found.get(key);
      // While slices are being rewritten an endpoint may be in two of them.
      if (other === undefined || (!other.ready && backend.ready)) found.set(key, backend);
    }
  }
  return [...found.keys()].sort().map((key) => found.get(key) as Backend);
}

function portNumber(slice: DeepReadonly<EndpointSlice>, port: DeepReadonly<ServicePort>): number | undefined {
  for (const candidate of slice.ports ?? []) {
    if ((candidate.name ?? '') !== (port.name ?? '')) continue;
    if ((candidate.protocol ?? 'TCP') !== (port.protocol ?? 'TCP')) continue;
    if (isPort(candidate.port)) return candidate.port;
  }
  return undefined;
}

function toBackend(
  endpoint: DeepReadonly<Endpoint>,
  port: number,
  family: Family,
  node: NodeView,
  isTerminating: TerminatingCheck,
): Backend | undefined {
  const address = endpoint.addresses[0];
  if (address === undefined || familyOf(address) !== family) return undefined;
  const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
  const leaving = terminating || (endpoint.targetRef !== undefined && isTerminating(endpoint.targetRef));
  return {
    address: normalAddress(address),
    port,
    // Services that publish addresses that are not ready have their pods ready to the end.
    ready: ready && (terminating || !leaving),
    servingWhileTerminating: serving && leaving,
    local: endpoint.nodeName === node.nodeName,
    maybeLocal: endpoint.nodeName === undefined || endpoint.nodeName === node.nodeName,
    zones: (endpoint.hints?.forZones ?? []).map((hint) => hint.name),
    nodes: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
  };
}

/** Whether it still answers: connections that stand go on. */
export function isServing({ ready, servingWhileTerminating }: Backend): boolean {
  return ready || servingWhileTerminating;
}

/** Ready backends; when there are none, those that still serve while they terminate. */
export function usable(backends: readonly Backend[]): readonly Backend[] {
  const ready = backends.filter((backend) => backend.ready);
  return ready.length > 0 ? ready : backends.filter((backend) => backend.servingWhileTerminating);
}

/** Follows the hints of the slices (same node, then same zone) when all backends carry them and one is for us. */
export function nearby(backends: readonly Backend[], node: NodeView): readonly Backend[] {
  if (backends.length > 0 && backends.every((backend) => backend.nodes.length > 0)) {
    const here = backends.filter((backend) => backend.nodes.includes(node.nodeName));
    if (here.length > 0) return here;
  }
  if (node.zone !== '' && backends.length > 0 && backends.every((backend) => backend.zones.length > 0)) {
    const here = backends.filter((backend) => backend.zones.includes(node.zone));
    if (here.length > 0) return here;
  }
  return backends;
}

export function isPort(port: number | undefined): port is number {
  return port !== undefined && Number.isInteger(port) && port > 0 && port < 65_536;
}
