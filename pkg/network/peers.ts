import { isIPv6 } from 'node:net';
import type { Node } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';

/** A block of pod addresses and the node that has it. */
export interface Peer {
  readonly node: string;
  readonly podCIDR: string;
  /** The node's InternalIP in the family that carries the packets. */
  readonly nodeIP: string;
  /** Its InternalIPs in the family of the block: pods send to them too. */
  readonly addresses: readonly string[];
}

export interface PeerOptions {
  /** The name of this node. */
  readonly self: string;
  /** The family in which packets of both families travel (a tunnel's); absent: each in its own. */
  readonly carrier: 'IPv4' | 'IPv6' | undefined;
  /** Addresses of this machine: pods of other nodes on it are reached without any help. */
  readonly local: ReadonlySet<string>;
}

/** Which pods are behind which other machines, older nodes first: of two with one address the younger is the one that has it. */
export function peersOf(nodes: Iterable<DeepReadonly<Node>>, { self, carrier, local }: PeerOptions): Peer[] {
  const peers: Peer[] = [];
  for (const node of [...nodes].sort(byAge)) {
    if (node.metadata.name === self) continue;
    const internal = (node.status?.addresses ?? []).filter((entry) => entry.type === 'InternalIP');
    const of = (family: 'IPv4' | 'IPv6'): string[] =>
      internal.map(({ address }) => address).filter((address) => isIPv6(address) === (family === 'IPv6'));
    for (const podCIDR of podCIDRsOf(node)) {
      const addresses = of(podCIDR.includes(':') ? 'IPv6' : 'IPv4');
      const [nodeIP] = carrier === undefined ? addresses : of(carrier);
      if (nodeIP === undefined || local.has(nodeIP)) continue;
      peers.push({ node: node.metadata.name, podCIDR, nodeIP, addresses });
    }
  }
  return peers;
}

export function podCIDRsOf(node: DeepReadonly<Node> | undefined): readonly string[] {
  const { podCIDR = '', podCIDRs = [] } = node?.spec ?? {};
  return podCIDRs.length > 0 || podCIDR === '' ? podCIDRs : [podCIDR];
}

function byAge(a: DeepReadonly<Node>, b: DeepReadonly<Node>): number {
  return Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp);
}
