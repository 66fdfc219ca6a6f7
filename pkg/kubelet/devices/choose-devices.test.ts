import { expect, test } from 'vitest';
import { maskOf } from '../topology/hints.ts';
import { chooseDevices } from './choose-devices.ts';
import { deviceHints, type KnownDevices } from './device-hints.ts';

/** a and b on node 0, c and d on node 1, e on both, f on none. */
const devices: KnownDevices = new Map([
  ['a', { healthy: true, nodes: [0] }],
  ['b', { healthy: true, nodes: [0] }],
  ['c', { healthy: true, nodes: [1] }],
  ['d', { healthy: true, nodes: [1] }],
  ['e', { healthy: true, nodes: [0, 1] }],
  ['f', { healthy: true }],
]);
const set = (ids: string): ReadonlySet<string> => new Set(ids);

test.each<[string, number, string, string, number[] | undefined, string]>([
  ['the first ones, when it does not matter', 2, 'abcdef', '', undefined, 'ab'],
  ['those on the node', 2, 'abcdef', '', [1], 'cd'],
  ['all on the node, and then others', 4, 'abcdf', '', [1], 'cdab'],
  ['what has no node comes last', 5, 'abcdf', '', [1], 'cdabf'],
  ['what the pod had comes first', 2, 'abcd', 'f', [1], 'fc'],
  ['and is enough', 1, 'ab', 'cd', [0], 'c'],
])('chosen: %s', async (_, count, available, reusable, nodes, expected) => {
  const chosen = await chooseDevices({
    resource: 'r',
    count,
    devices,
    available: set(available),
    reusable: set(reusable),
    preferred: async () => [],
    ...(nodes === undefined ? {} : { nodes: maskOf(nodes) }),
  });
  expect(chosen.join('')).toBe(expected);
});

test('the plugin chooses within the node, and what has to come from elsewhere', async () => {
  const asked: string[] = [];
  const choose = (count: number, nodes: number[]): Promise<string[]> =>
    chooseDevices({
      resource: 'r',
      count,
      devices,
      available: set('abcdf'),
      reusable: set(''),
      nodes: maskOf(nodes),
      preferred: async (available, included) => {
        asked.push(`${available.join('')}+${included.join('')}`);
        return ['f', 'd', 'b'];
      },
    });
  expect((await choose(1, [1])).join('')).toBe('d');
  expect((await choose(3, [1])).join('')).toBe('cdf');
  expect(asked).toEqual(['cd+', 'cdabfcd+cd']);
});

test('too few', async () => {
  const choice = { resource: 'r', count: 3, devices, reusable: set('a'), preferred: async () => [] };
  await expect(chooseDevices({ ...choice, available: set('b') })).rejects.toThrow(
    'requested number of devices unavailable for r. Requested: 2, Available: 1',
  );
});

test.each<[string, number, string, string, [number[], boolean][]]>([
  [
    'one device',
    1,
    'abcd',
    '',
    [
      [[0], true],
      [[1], true],
      [[0, 1], false],
    ],
  ],
  [
    'one device, some taken',
    1,
    'c',
    '',
    [
      [[1], true],
      [[0, 1], false],
    ],
  ],
  ['more than a node has', 4, 'abcde', '', [[[0, 1], true]]],
  ['a node would do if it were free', 2, 'ac', '', [[[0, 1], false]]],
  [
    'with one that the pod has',
    2,
    'bc',
    'd',
    [
      [[1], true],
      [[0, 1], false],
    ],
  ],
  ['too few', 3, 'ab', '', []],
])('hints: %s', (_, count, available, reusable, expected) => {
  const hints = deviceHints({ nodes: [0, 1], devices, available: set(available), reusable: set(reusable), count });
  expect(hints).toEqual(expected.map(([nodes, preferred]) => ({ nodes: maskOf(nodes), preferred })));
});

test('no hints, when no device is near to a node', () => {
  const plain: KnownDevices = new Map([['f', { healthy: true }]]);
  expect(
    deviceHints({ nodes: [0, 1], devices: plain, available: set('f'), reusable: set(''), count: 1 }),
  ).toBeUndefined();
});
