import type { DiscoveryEndpointPort } from '../api/generated/types.ts';

const OFFSET = 0x6c62272e07bb014262b821756295c58dn;
const PRIME = 0x1000000000000000000013bn;
const BITS = 128;

/**
 * The ports of an EndpointSlice in the order in which upstream writes them: by the FNV-128a hash of each as Go prints it
 * (portsInOrder). It says nothing to a reader, but is the same whatever the order in the Service.
 */
export function inUpstreamsOrder(ports: readonly DiscoveryEndpointPort[]): DiscoveryEndpointPort[] {
  if (ports.length < 2) return [...ports];
  const hashed = ports.map((port) => ({ port, hash: fnv128a(printed(port)) }));
  return hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0)).map(({ port }) => port);
}

function printed({ name, protocol, port, appProtocol }: DiscoveryEndpointPort): string {
  const fields = [
    `Name:(*string)${name ?? '<nil>'}`,
    `Protocol:(*v1.Protocol)${protocol ?? '<nil>'}`,
    `Port:(*int32)${port ?? '<nil>'}`,
    `AppProtocol:(*string)${appProtocol ?? '<nil>'}`,
  ];
  return `(v1.EndpointPort){${fields.join(' ')}}`;
}

function fnv128a(text: string): bigint {
  let hash = OFFSET;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(BITS, (hash ^ BigInt(byte)) * PRIME);
  return hash;
}
