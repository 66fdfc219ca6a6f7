import { expect, test } from 'vitest';
import type { Node } from '../api/generated/types.ts';
import { peersOf } from './peers.ts';

const node = (name: string, second: number, podCIDRs: string[], addresses: string[]): Node =>
  ({
    metadata: { name, creationTimestamp: `2026-01-01T00:00:0${second}Z` },
    spec: { podCIDRs },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  }) as unknown as Node;

const nodes = [
  node('b', 2, ['10.0.2.0/24', 'fd00:2::/64'], ['192.0.2.2', '2001:db8::2']),
  node('self', 0, ['10.0.0.0/24'], ['192.0.2.1']),
  node('a', 1, ['10.0.1.0/24'], ['192.0.2.3']),
  node('beside', 3, ['10.0.3.0/24'], ['192.0.2.9']),
  node('unknown', 4, ['10.0.4.0/24'], []),
];
const places = (carrier: 'IPv4' | 'IPv6' | undefined): string[] =>
  peersOf(nodes, { self: 'self', carrier, local: new Set(['192.0.2.1', '192.0.2.9']) }).map(
    ({ podCIDR, nodeIP }) => `${podCIDR} ${nodeIP}`,
  );

test('other machines, older nodes first, each block by its own family or by that of the carrier', () => {
  expect(places(undefined)).toEqual(['10.0.1.0/24 192.0.2.3', '10.0.2.0/24 192.0.2.2', 'fd00:2::/64 2001:db8::2']);
  expect(places('IPv4')).toEqual(['10.0.1.0/24 192.0.2.3', '10.0.2.0/24 192.0.2.2', 'fd00:2::/64 192.0.2.2']);
});
