import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import type { ReadNode } from './node-conditions.ts';
import { NodeZones, type ZoneTurn, zoneState } from './node-zones.ts';

const node = (name: string, status: string, zone?: string, labels: object = {}): ReadNode => ({
  ...({ metadata: { name, labels: { ...labels, ...(zone && { 'topology.kubernetes.io/zone': zone }) } } } as ReadNode),
  spec: {},
  status: { conditions: [{ type: 'Ready', status }] } as ReadNode['status'],
});

test.each([
  [0, 0, 'Normal'],
  [1, 0, 'Normal'],
  [0, 1, 'FullDisruption'],
  [1, 2, 'Normal'],
  [1, 3, 'PartialDisruption'],
  [9, 11, 'PartialDisruption'],
  [10, 11, 'Normal'],
] as const)('%i ready, %i not: %s', (ready, notReady, state) => {
  expect(zoneState(ready, notReady)).toBe(state);
});

test('only the first that is ready and the last that was turn the state of all', () => {
  const zones = new NodeZones(new FakeClock());
  const step = (turn: ZoneTurn, concerned: string[], outage: boolean, ends = false): void => {
    expect([turn, zones.isOutage]).toEqual([{ concerned, endsOutage: ends }, outage]);
  };
  step(zones.note(node('a', 'Unknown')), ['a'], true);
  step(zones.note(node('c', 'False')), [], true);
  step(zones.note(node('a', 'True')), ['c'], false, true);
  step(zones.note(node('b', 'True')), [], false);
  step(zones.note(node('a', 'False')), [], false);
  step(zones.note(node('b', 'Unknown')), ['c', 'a', 'b'], true);
  step(zones.forget('b'), [], true);
  step(zones.note(node('d', 'True')), ['c', 'a'], false, true);
});

test('a node is driven off at once, the next ten seconds later, each zone for itself', async () => {
  const clock = new FakeClock();
  const zones = new NodeZones(clock);
  for (const zone of ['x', 'y']) {
    for (const i of [0, 1, 2, 3, 4, 5]) zones.note(node(`${zone}${i}`, i < 4 ? 'True' : 'False', zone));
  }
  expect([zones.take('x4'), zones.take('x5'), zones.take('y4')]).toEqual([0, 10_000, 0]);
  await clock.advance(10_000);
  expect(zones.take('x5')).toBe(0);
});

test('a zone that is down as a whole is left at the usual pace while another lives', () => {
  const zones = new NodeZones(new FakeClock());
  zones.note(node('x', 'True', 'x'));
  expect(zones.note(node('y', 'Unknown', 'y')).concerned).toEqual([]);
  expect([zones.isOutage, zones.take('y')]).toEqual([false, 0]);
});

test('a small zone that is partly down keeps its pods, a large one gives them up slowly', () => {
  const clock = new FakeClock();
  const fill = (size: number): NodeZones => {
    const zones = new NodeZones(clock);
    for (let i = 0; i < size; i++) zones.note(node(`n${i}`, 'True'));
    for (let i = 0; i < size * 0.6; i++) zones.note(node(`n${i}`, 'Unknown'));
    return zones;
  };
  expect(fill(50).take('n0')).toBeUndefined();
  const large = fill(60);
  expect([large.take('n0'), large.take('n1')]).toEqual([0, 100_000]);
});

test('excluded nodes say nothing about their zone', () => {
  const zones = new NodeZones(new FakeClock());
  zones.note(node('a', 'True'));
  for (const name of ['b', 'c', 'd'])
    zones.note(node(name, 'False', undefined, { 'node.kubernetes.io/exclude-disruption': '' }));
  expect(zones.take('b')).toBe(0);
});
