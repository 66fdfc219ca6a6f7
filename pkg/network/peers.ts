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

/**
 * Which pods are behind which other nodes, older nodes first: of two with one address the younger is the machine that has it.
 * `carrier` is the family in which packets of both families travel (a tunnel's); absent: each in its own.
 */
export function peersOf(nodes: Iterable<DeepReadonly<Node>>, self: string, carrier?: 'IPv4' | 'IPv6'): Peer[] {
  const peers: Peer[] = [];
  for (const node of [...nodes].sort(byAge)) {
    if (node.metadata.name === self) continue;
    const internal = (node.status?.addresses ?? []).filter((entry) => entry.type === 'InternalIP');
    const of = (family: 'IPv4' | 'IPv6'): string[] =>
      internal.map(({ address }) => address).filter((address) => isIPv6(address) === (family === 'IPv6'));
    for (const podCIDR of podCIDRsOf(node)) {
      const addresses = of(podCIDR.includes(':') ? 'IPv6' : 'IPv4');
      const [nodeIP] = carrier === undefined ? addresses : of(carrier);
      if (nodeIP !== undefined) peers.push({ node: node.metadata.name, podCIDR, nodeIP, addresses });
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
