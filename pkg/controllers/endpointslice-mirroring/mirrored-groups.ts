import type { DiscoveryEndpointPort, Endpoint, Endpoints } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { inUpstreamsOrder } from '../port-order.ts';
import type { AddressType, EndpointGroup } from '../slice-plan.ts';

/** Of a larger subset the rest is not mirrored, and no slice is larger. */
export const MAX_PER_SUBSET = 1000;

/** How many addresses are beyond that. */
export function addressesLeftOut({ subsets = [] }: DeepReadonly<Endpoints>): number {
  return subsets
    .map(({ addresses = [], notReadyAddresses = [] }) => addresses.length + notReadyAddresses.length - MAX_PER_SUBSET)
    .reduce((sum, excess) => sum + Math.max(0, excess), 0);
}

/** The endpoints of an Endpoints object in one address family, grouped by their ports. */
export function mirroredGroups(endpoints: DeepReadonly<Endpoints>, addressType: AddressType): EndpointGroup[] {
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const states = [...addresses.map((address) => ({ address, ready: true }))];
    states.push(...notReadyAddresses.map((address) => ({ address, ready: false })));
    for (const { address, ready } of states.slice(0, MAX_PER_SUBSET)) {
      if (address.ip.includes(':') !== (addressType === 'IPv6')) continue;
      const key = JSON.stringify(slicePorts);
      const group = groups.get(key) ?? { ports: inUpstreamsOrder(slicePorts), endpoints: [] };
      groups.set(key, group);
      group.endpoints.push({
        addresses: [address.ip],
        conditions: { ready },
        ...(address.hostname ? { hostname: address.hostname } : {}),
        ...(address.targetRef === undefined ? {} : { targetRef: { ...address.targetRef } }),
        ...(address.nodeName ? { nodeName: address.nodeName } : {}),
      });
    }
  }
  return [...groups.values()];
}
