import type { DiscoveryEndpointPort, Endpoint, EndpointSlice } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { equalJSON } from '../base/json.ts';

export type ReadSlice = DeepReadonly<EndpointSlice>;
export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that share their ports: what goes into the same slices. */
export interface EndpointGroup {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SliceContent {
  readonly ports: readonly DeepReadonly<DiscoveryEndpointPort>[];
  readonly endpoints: readonly DeepReadonly<Endpoint>[];
}

/** What is to be written for the slices of one Service and address family. */
export interface SlicePlan {
  readonly create: readonly SliceContent[];
  readonly update: readonly { readonly slice: ReadSlice; readonly content: SliceContent }[];
  readonly delete: readonly ReadSlice[];
}

const MAX_PER_SLICE = 100;

/**
 * Fits the wanted endpoints into the existing slices with few writes: endpoints stay where they are, new ones fill slices
 * that have room (first those that are written anyway), slices that would go are reused before new ones are made. There is
 * always one slice, be it empty. `isCurrent` says that a slice's labels and owner are right.
 */
export function planSlices(
  groups: readonly EndpointGroup[],
  existing: readonly ReadSlice[],
  isCurrent: (slice: ReadSlice) => boolean,
  maxPerSlice = MAX_PER_SLICE,
): SlicePlan {
  const create: SliceContent[] = [];
  const update: { slice: ReadSlice; content: SliceContent }[] = [];
  const unused = new Set(existing);
  for (const group of groups) {
    const own = existing.filter((slice) => samePorts(slice.ports ?? [], group.ports));
    const fitted = fitGroup(group, own, maxPerSlice);
    for (const { slice, endpoints } of fitted.kept) {
      unused.delete(slice);
      const content = { ports: group.ports, endpoints };
      if (!isCurrent(slice) || !equalJSON(slice.endpoints ?? [], endpoints)) update.push({ slice, content });
    }
    for (const endpoints of fitted.added) create.push({ ports: group.ports, endpoints });
  }
  const [placeholder] = unused;
  if (create.length === 0 && unused.size === existing.length) {
    const content = { ports: [], endpoints: [] };
    if (placeholder === undefined) return { create: [content], update, delete: [] };
    unused.delete(placeholder);
    const empty = (placeholder.endpoints ?? []).length === 0 && (placeholder.ports ?? []).length === 0;
    if (!empty || !isCurrent(placeholder)) update.push({ slice: placeholder, content });
  }
  for (const slice of unused) {
    const content = create.shift();
    if (content === undefined) break;
    unused.delete(slice);
    update.push({ slice, content });
  }
  return { create, update, delete: [...unused] };
}

interface Fitted {
  readonly kept: { readonly slice: ReadSlice; readonly endpoints: DeepReadonly<Endpoint>[] }[];
  readonly added: Endpoint[][];
}

function fitGroup(group: EndpointGroup, slices: readonly ReadSlice[], maxPerSlice: number): Fitted {
  const wanted = new Map(group.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const kept = slices
    .map((slice) => {
      const endpoints: DeepReadonly<Endpoint>[] = [];
      for (const endpoint of slice.endpoints ?? []) {
        const identity = identityOf(endpoint);
        const next = wanted.get(identity);
        if (next === undefined) continue;
        wanted.delete(identity);
        endpoints.push(next);
      }
      const changed = !equalJSON(endpoints, slice.endpoints ?? []);
      return { slice, endpoints, changed };
    })
    .filter(({ endpoints }) => endpoints.length > 0);
  const rest = [...wanted.values()];
  const fillOrder = kept.toSorted(
    (a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length,
  );
  for (const { endpoints } of fillOrder) {
    while (rest.length > 0 && endpoints.length < maxPerSlice) endpoints.push(rest.shift() as Endpoint);
  }
  const added: Endpoint[][] = [];
  while (rest.length > 0) added.push(rest.splice(0, maxPerSlice));
  return { kept, added };
}

/** The same endpoint, whatever its conditions. */
function identityOf(endpoint: DeepReadonly<Endpoint>): string {
  return `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses.join(',')}`;
}

function samePorts(
  a: readonly DeepReadonly<DiscoveryEndpointPort>[],
  b: readonly DeepReadonly<DiscoveryEndpointPort>[],
): boolean {
  const normal = (ports: typeof a): unknown => ports.map(({ name = '', ...rest }) => ({ name, ...rest }));
  return equalJSON(normal(a), normal(b));
}
