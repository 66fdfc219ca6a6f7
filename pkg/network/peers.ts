import { isIPv6 } from 'node:net';
import type { Node } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';

/** A block of pod addresses and the node that has it. */
export interface Peer {
  readonly podCIDR: string;
  /** The node's InternalIP in the family that carries the packets. */
  readonly nodeIP: string;
}

/**
 * Which pods are behind which other nodes. `carrier` is the family in which packets of both families travel (a tunnel's);
 * absent: each in its own.
 */
export function peersOf(nodes: Iterable<DeepReadonly<Node>>, self: string, carrier?: 'IPv4' | 'IPv6'): Peer[] {
  const peers: Peer[] = [];
  for (const node of nodes) {
    if (node.metadata.name === self) continue;
    const addresses = (node.status?.addresses ?? []).filter((entry) => entry.type === 'InternalIP');
    for (const podCIDR of podCIDRsOf(node)) {
      const family = carrier ?? (podCIDR.includes(':') ? 'IPv6' : 'IPv4');
      const address = addresses.find((entry) => isIPv6(entry.address) === (family === 'IPv6'));
      if (address !== undefined) peers.push({ podCIDR, nodeIP: address.address });
    }
  }
  return peers;
}

export function podCIDRsOf(node: DeepReadonly<Node> | undefined): readonly string[] {
  const { podCIDR = '', podCIDRs = [] } = node?.spec ?? {};
  return podCIDRs.length > 0 || podCIDR === '' ? podCIDRs : [podCIDR];
}
