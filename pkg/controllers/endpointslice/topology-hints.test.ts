import { describe, expect, test } from 'vitest';
import type { Endpoint, Node } from '../../api/generated/types.ts';
import type { ReadSlice, SliceContent } from '../slice-plan.ts';
import { withTopologyHints, zoneShares } from './topology-hints.ts';

function node(zone: string | undefined, cpu: string, more: { ready?: string; labels?: object } = {}): Node {
  const labels = { ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }), ...more.labels };
  const conditions = [{ type: 'Ready', status: more.ready ?? 'True' }];
  return { metadata: { name: 'n', labels }, status: { allocatable: { cpu }, conditions } } as unknown as Node;
}

/** One letter an endpoint: its zone; a small one is not ready; `-` has no zone. */
function endpoints(zones: string): Endpoint[] {
  return [...zones].map((zone, index) => ({
    addresses: [`10.0.0.${index}`],
    conditions: { ready: zone === zone.toUpperCase() },
    ...(zone === '-' ? {} : { zone: zone.toUpperCase() }),
  }));
}

function sliceOf(list: readonly Endpoint[]): ReadSlice {
  const metadata = { name: 's', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
  const type = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
  return { ...type, metadata, addressType: 'IPv4', ports: [], endpoints: list };
}

const content = (zones: string): SliceContent => ({ ports: [], endpoints: endpoints(zones) });

/** The zones that endpoints have hints for, one letter each. */
const hintsOf = (contents: readonly SliceContent[]): string[] =>
  contents.map((one) => one.endpoints.map(({ hints }) => hints?.forZones?.[0]?.name ?? '.').join(''));

describe('the share of each zone', () => {
  test.each<[string, readonly Node[], Record<string, number> | undefined]>([
    ['by processors', [node('A', '1500m'), node('B', '1'), node('B', '500m')], { A: 0.5, B: 0.5 }],
    [
      'nodes that are not ready do not count',
      [node('A', '1'), node('B', '1'), node('B', '9', { ready: 'False' })],
      { A: 0.5, B: 0.5 },
    ],
    [
      'nor does the control plane',
      [
        node('A', '3'),
        node('B', '1'),
        node(undefined, '4', { labels: { 'node-role.kubernetes.io/control-plane': '' } }),
      ],
      { A: 0.75, B: 0.25 },
    ],
    ['a node without a zone', [node('A', '1'), node('B', '1'), node(undefined, '1')], undefined],
    ['a node without processors', [node('A', '1'), node('B', '0')], undefined],
    ['one zone', [node('A', '1'), node('A', '1')], undefined],
  ])('%s', (_, nodes, expected) => {
    const shares = zoneShares(nodes);
    expect(shares && Object.fromEntries(shares)).toEqual(expected);
  });
});

const thirds = new Map([
  ['A', 1 / 3],
  ['B', 1 / 3],
  ['C', 1 / 3],
]);

describe('hints', () => {
  test.each<[string, string, ReadonlyMap<string, number> | undefined, string]>([
    ['each zone has its own', 'ABC', thirds, 'ABC'],
    ['who is not ready has none', 'ABCa', thirds, 'ABC.'],
    ['a zone without endpoints gets some of others', 'AABBAB', thirds, 'CACBAB'],
    ['a half more or less is left', 'AAABBCC', thirds, 'AAABBCC'],
    [
      'a larger zone gets more',
      'ABABAB',
      new Map([
        ['A', 0.75],
        ['B', 0.25],
      ]),
      'AAABAB',
    ],
  ])('%s', (_, zones, shares, expected) => {
    const { plan, problem } = withTopologyHints({ create: [content(zones)], update: [], delete: [] }, [], shares);
    expect([problem, hintsOf(plan.create)]).toEqual([undefined, [expected]]);
  });

  test.each<[string, string, ReadonlyMap<string, number> | undefined, string]>([
    [
      'nodes',
      'ABC',
      undefined,
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    ['endpoints', 'AB', thirds, 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
    ['zones of endpoints', 'AB-', thirds, 'One or more endpoints do not have a zone specified'],
    [
      'balance',
      'ABCC',
      thirds,
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    ],
  ])('none for want of %s', (_, zones, shares, message) => {
    const slice = sliceOf([
      { addresses: ['10.1.0.1'], conditions: { ready: false }, hints: { forZones: [{ name: 'A' }] } },
    ]);
    const { plan, problem } = withTopologyHints({ create: [content(zones)], update: [], delete: [] }, [slice], shares);
    expect(problem).toBe(message);
    expect(hintsOf([...plan.create, ...plan.update.map((one) => one.content)])).toEqual([
      '.'.repeat(zones.length),
      '.',
    ]);
  });

  test('slices that fit stay as they are; those that do not are written too', () => {
    const existing = (hints: string): ReadSlice =>
      sliceOf(
        [...hints].map((zone, index) => ({
          addresses: [`10.2.0.${index}`],
          conditions: { ready: true },
          zone,
          hints: { forZones: [{ name: zone }] },
        })),
      );
    const plan = { create: [content('C')], update: [], delete: [] };
    const kept = withTopologyHints(plan, [existing('AB')], thirds).plan;
    expect([hintsOf(kept.create), kept.update]).toEqual([['C'], []]);
    const rewritten = withTopologyHints(plan, [existing('AAAAAB')], thirds).plan;
    expect(hintsOf([...rewritten.create, ...rewritten.update.map((one) => one.content)])).toEqual(['C', 'BCAAAB']);
  });
});
