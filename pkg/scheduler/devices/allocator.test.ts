import { beforeAll, describe, expect, test } from 'vitest';
import type { Device, ResourceSliceSpec } from '../../api/generated/types.ts';
import { DeviceSelectors } from '../../api/scheduling/device-selectors.ts';
import { FakeClock } from '../../base/clock.ts';
import type { Informer } from '../../client/index.ts';
import { AllocatedDevices } from './allocated-devices.ts';
import { Allocator } from './allocator.ts';
import type { AllocatedDevice, Allocation, Claim, ReadClass, Slice } from './device-id.ts';
import { SliceIndex } from './slice-index.ts';

let selectors: DeviceSelectors;
beforeAll(async () => {
  selectors = await DeviceSelectors.load();
});

const DRIVER = 'gpu.example.com';
const NODE = { name: 'a', labels: { zone: 'z1' } };

function slice(
  name: string,
  devices: readonly (string | Partial<Device>)[],
  spec: Partial<ResourceSliceSpec> = {},
): Slice {
  const { pool, ...rest } = spec;
  const isForAll = 'nodeSelector' in rest || 'allNodes' in rest || 'perDeviceNodeSelection' in rest;
  return {
    metadata: { name },
    spec: {
      driver: DRIVER,
      ...(isForAll ? {} : { nodeName: 'a' }),
      pool: { name: 'p', generation: 1, resourceSliceCount: 1, ...pool },
      devices: devices.map((device) => (typeof device === 'string' ? { name: device } : { name: 'd', ...device })),
      ...rest,
    },
  } as unknown as Slice;
}

const classes: Record<string, object> = {
  any: {},
  big: { selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].size == "big"` } }] },
  other: { selectors: [{ cel: { expression: 'device.driver == "other"' } }] },
  configured: { config: [{ opaque: { driver: DRIVER, parameters: { of: 'class' } } }] },
  broken: { selectors: [{ cel: { expression: 'device.attributes["x"].y' } }] },
};

function claim(devices: object, name = 'c'): Claim {
  return { metadata: { name, namespace: 'n', uid: name }, spec: { devices }, status: {} } as unknown as Claim;
}

const one = (request: object = {}, name = 'r'): object => ({ name, exactly: { deviceClassName: 'any', ...request } });
const sized = (name: string, size: string): Partial<Device> => ({ name, attributes: { size: { string: size } } });
const select = (expression: string): object => ({ selectors: [{ cel: { expression } }] });

interface Given {
  readonly slices: readonly Slice[];
  readonly claims: readonly Claim[];
  readonly allocated?: readonly Partial<AllocatedDevice>[];
  readonly node?: typeof NODE;
}

function allocate({ slices, claims, allocated = [], node = NODE }: Given): readonly Allocation[] | undefined {
  const index = new SliceIndex();
  index.follow({
    addHandler(handler: { onAdd(slice: Slice): void }) {
      for (const each of slices) handler.onAdd(each);
      return () => {};
    },
  } as unknown as Informer<never>);
  const taken = new AllocatedDevices();
  taken.add(allocated.map((device) => ({ request: 'r', driver: DRIVER, pool: 'p', device: '', ...device })));
  const allocator = new Allocator({
    slices: index,
    allocated: taken,
    classOf: (name) =>
      classes[name] === undefined ? undefined : ({ metadata: { name }, spec: classes[name] } as unknown as ReadClass),
    selectors,
    newShareID: () => 'share',
    timeoutMs: 1000,
    clock: new FakeClock(),
  });
  return allocator.allocate(node, claims);
}

/** `request=device` of every result, claims parted by `;`. */
function outcome(given: Given): string {
  const allocations = allocate(given);
  if (allocations === undefined) return 'none';
  return allocations
    .map(({ devices }) => (devices?.results ?? []).map(({ request, device }) => `${request}=${device}`).join(' '))
    .join('; ');
}

describe('which devices', () => {
  test.each<[string, Given, string]>([
    [
      'the first that is free',
      { slices: [slice('s', ['x', 'y'])], claims: [claim({ requests: [one()] })], allocated: [{ device: 'x' }] },
      'r=y',
    ],
    [
      'none is free',
      { slices: [slice('s', ['x'])], claims: [claim({ requests: [one()] })], allocated: [{ device: 'x' }] },
      'none',
    ],
    [
      'several of them',
      { slices: [slice('s', ['x', 'y', 'z'])], claims: [claim({ requests: [one({ count: 2 })] })] },
      'r=x r=y',
    ],
    ['too few', { slices: [slice('s', ['x'])], claims: [claim({ requests: [one({ count: 2 })] })] }, 'none'],
    [
      'all of them',
      { slices: [slice('s', ['x', 'y'])], claims: [claim({ requests: [one({ allocationMode: 'All' })] })] },
      'r=x r=y',
    ],
    [
      'all, but one is taken',
      {
        slices: [slice('s', ['x', 'y'])],
        claims: [claim({ requests: [one({ allocationMode: 'All' })] })],
        allocated: [{ device: 'y' }],
      },
      'none',
    ],
    [
      'all of none',
      {
        slices: [slice('s', ['x'])],
        claims: [claim({ requests: [one({ allocationMode: 'All', deviceClassName: 'other' })] })],
      },
      'none',
    ],
    [
      'by the class',
      {
        slices: [slice('s', [sized('x', 'small'), sized('y', 'big')])],
        claims: [claim({ requests: [one({ deviceClassName: 'big' })] })],
      },
      'r=y',
    ],
    [
      'by the request',
      {
        slices: [slice('s', ['x', 'y'])],
        claims: [claim({ requests: [one(select('device.driver == "gpu.example.com" && false'))] })],
      },
      'none',
    ],
    [
      'what an administrator looks at is not taken',
      {
        slices: [slice('s', ['x'])],
        claims: [claim({ requests: [one({ adminAccess: true })] })],
        allocated: [{ device: 'x' }],
      },
      'r=x',
    ],
    [
      'an administrator has taken nothing',
      {
        slices: [slice('s', ['x'])],
        claims: [claim({ requests: [one()] })],
        allocated: [{ device: 'x', adminAccess: true }],
      },
      'r=x',
    ],
    [
      'not one device for two claims',
      { slices: [slice('s', ['x', 'y'])], claims: [claim({ requests: [one()] }), claim({ requests: [one()] }, 'd')] },
      'r=x; r=y',
    ],
    [
      'a choice is taken back when the rest does not fit',
      {
        slices: [slice('s', [sized('x', 'big'), 'y'])],
        claims: [
          claim({
            requests: [
              one({}, 'first'),
              one(select('device.attributes["gpu.example.com"].?size.orValue("") == "big"'), 'second'),
            ],
          }),
        ],
      },
      'first=y second=x',
    ],
    [
      'the first alternative that is there',
      {
        slices: [slice('s', ['x'])],
        claims: [
          claim({
            requests: [
              {
                name: 'r',
                firstAvailable: [
                  { name: 'two', deviceClassName: 'any', count: 2 },
                  { name: 'one', deviceClassName: 'any' },
                ],
              },
            ],
          }),
        ],
      },
      'r/one=x',
    ],
    [
      'a taint keeps users away',
      {
        slices: [slice('s', [{ name: 'x', taints: [{ key: 'k', effect: 'NoSchedule' }] }, 'y'])],
        claims: [claim({ requests: [one()] })],
      },
      'r=y',
    ],
    [
      'a taint without effect',
      {
        slices: [slice('s', [{ name: 'x', taints: [{ key: 'k', effect: 'None' }] }, 'y'])],
        claims: [claim({ requests: [one()] })],
      },
      'r=x',
    ],
    [
      'a taint is tolerated',
      {
        slices: [slice('s', [{ name: 'x', taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] }, 'y'])],
        claims: [claim({ requests: [one({ tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] })] })],
      },
      'r=x',
    ],
    [
      'pools and slices by name',
      {
        slices: [slice('s2', ['x'], { pool: { name: 'q', generation: 1, resourceSliceCount: 1 } }), slice('s1', ['y'])],
        claims: [claim({ requests: [one()] })],
      },
      'r=y',
    ],
    [
      'devices that are bound late come last',
      {
        slices: [
          slice('s1', [{ name: 'late', bindingConditions: ['Ready'] }]),
          slice('s2', ['soon'], { pool: { name: 'q', generation: 1, resourceSliceCount: 1 } }),
        ],
        claims: [claim({ requests: [one()] })],
      },
      'r=soon',
    ],
  ])('%s', (_name, given, expected) => {
    expect(outcome(given)).toBe(expected);
  });
});

describe('constraints', () => {
  const at = (name: string, socket: string): Partial<Device> => ({ name, attributes: { socket: { string: socket } } });
  const slices = [slice('s', [at('x', '1'), at('y', '2'), at('z', '2'), { name: 'w' }])];
  test.each<[string, object, string]>([
    [
      'the same value',
      { requests: [one({ count: 2 })], constraints: [{ matchAttribute: `${DRIVER}/socket` }] },
      'r=y r=z',
    ],
    [
      'different values',
      { requests: [one({ count: 2 })], constraints: [{ distinctAttribute: `${DRIVER}/socket` }] },
      'r=x r=y',
    ],
    [
      'more than there are values',
      { requests: [one({ count: 3 })], constraints: [{ distinctAttribute: `${DRIVER}/socket` }] },
      'none',
    ],
    [
      'of some requests only',
      {
        requests: [one({}, 'a'), one({ count: 2 }, 'b')],
        constraints: [{ matchAttribute: `${DRIVER}/socket`, requests: ['b'] }],
      },
      'a=x b=y b=z',
    ],
    [
      'an attribute of another domain',
      { requests: [one()], constraints: [{ matchAttribute: 'example.org/socket' }] },
      'none',
    ],
  ])('%s', (_name, devices, expected) => {
    expect(outcome({ slices, claims: [claim(devices)] })).toBe(expected);
  });
});

describe('pools', () => {
  const wanted = [claim({ requests: [one()] })];
  const pool = (generation: number, resourceSliceCount: number) => ({ name: 'p', generation, resourceSliceCount });
  test.each<[string, Given, string]>([
    ['a slice is missing', { slices: [slice('s', ['x'], { pool: pool(1, 2) })], claims: wanted }, 'none'],
    [
      'the other slice is of another node',
      {
        slices: [slice('s', ['x'], { pool: pool(1, 2) }), slice('t', ['y'], { nodeName: 'b', pool: pool(1, 2) })],
        claims: wanted,
      },
      'r=x',
    ],
    [
      'only the newest generation counts',
      { slices: [slice('s', ['x'], { pool: pool(1, 1) }), slice('t', ['y'], { pool: pool(2, 1) })], claims: wanted },
      'r=y',
    ],
    [
      'a newer generation has nothing for the node',
      {
        slices: [slice('s', ['x'], { pool: pool(1, 2) }), slice('t', ['y'], { nodeName: 'b', pool: pool(2, 1) })],
        claims: wanted,
      },
      'none',
    ],
    ['for all nodes', { slices: [slice('s', ['x'], { allNodes: true })], claims: wanted }, 'r=x'],
    [
      'for nodes with a label',
      {
        slices: [
          slice('s', ['x'], {
            nodeSelector: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['z1'] }] }],
            },
          }),
        ],
        claims: wanted,
      },
      'r=x',
    ],
    [
      'for other nodes',
      {
        slices: [
          slice('s', ['x'], {
            nodeSelector: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['z2'] }] }],
            },
          }),
        ],
        claims: wanted,
      },
      'none',
    ],
    [
      'each device says for which',
      {
        slices: [
          slice(
            's',
            [
              { name: 'x', nodeName: 'b' },
              { name: 'y', nodeName: 'a' },
            ],
            { perDeviceNodeSelection: true },
          ),
        ],
        claims: wanted,
      },
      'r=y',
    ],
  ])('%s', (_name, given, expected) => {
    expect(outcome(given)).toBe(expected);
  });
});

describe('partitions and shares', () => {
  const part = (name: string, memory: string): Partial<Device> => ({
    name,
    consumesCounters: [{ counterSet: 'gpu', counters: { memory: { value: memory } } }],
  });
  const pool = { name: 'p', generation: 1, resourceSliceCount: 2 };
  const partitioned = [
    slice('counters', [], { pool, sharedCounters: [{ name: 'gpu', counters: { memory: { value: '40Gi' } } }] }),
    slice('devices', [part('whole', '40Gi'), part('half-1', '20Gi'), part('half-2', '20Gi')], { pool }),
  ];
  const shared: Partial<Device> = {
    name: 'nic',
    allowMultipleAllocations: true,
    capacity: { bandwidth: { value: '10', requestPolicy: { default: '1', validValues: ['1', '4', '8'] } } },
  };
  const bandwidth = (amount: string): object => ({ capacity: { requests: { bandwidth: amount } } });
  test.each<[string, Given, string]>([
    ['the whole', { slices: partitioned, claims: [claim({ requests: [one()] })] }, 'r=whole'],
    [
      'what is left of it',
      { slices: partitioned, claims: [claim({ requests: [one()] })], allocated: [{ device: 'half-1' }] },
      'r=half-2',
    ],
    ['both halves', { slices: partitioned, claims: [claim({ requests: [one({ count: 2 })] })] }, 'r=half-1 r=half-2'],
    [
      'nothing is left',
      { slices: partitioned, claims: [claim({ requests: [one()] })], allocated: [{ device: 'whole' }] },
      'none',
    ],
    [
      'two shares',
      {
        slices: [slice('s', [shared])],
        claims: [claim({ requests: [one(bandwidth('4'))] }), claim({ requests: [one(bandwidth('4'))] }, 'd')],
      },
      'r=nic; r=nic',
    ],
    [
      'more than there is',
      {
        slices: [slice('s', [shared])],
        claims: [claim({ requests: [one(bandwidth('8'))] }), claim({ requests: [one(bandwidth('4'))] }, 'd')],
      },
      'none',
    ],
    [
      'what others have counts',
      {
        slices: [slice('s', [shared])],
        claims: [claim({ requests: [one(bandwidth('8'))] })],
        allocated: [{ device: 'nic', shareID: 'x', consumedCapacity: { bandwidth: '4' } }],
      },
      'none',
    ],
    [
      'a capacity that the device does not have',
      {
        slices: [slice('s', [shared])],
        claims: [claim({ requests: [one({ capacity: { requests: { cores: '1' } } })] })],
      },
      'none',
    ],
  ])('%s', (_name, given, expected) => {
    expect(outcome(given)).toBe(expected);
  });

  test('a share is rounded up to what the device gives', () => {
    const [allocation] =
      allocate({ slices: [slice('s', [shared])], claims: [claim({ requests: [one(bandwidth('5'))] })] }) ?? [];
    expect(allocation?.devices?.results).toMatchObject([{ shareID: 'share', consumedCapacity: { bandwidth: '8' } }]);
  });
});

test('what is written into the claim', () => {
  const config = [
    { opaque: { driver: DRIVER, parameters: { of: 'all' } } },
    { requests: ['two'], opaque: { driver: DRIVER, parameters: { of: 'two' } } },
    { requests: ['none'], opaque: { driver: DRIVER, parameters: { of: 'none' } } },
  ];
  const requests = [
    one({ deviceClassName: 'configured', tolerations: [{ operator: 'Exists' }] }, 'one'),
    { name: 'two', firstAvailable: [{ name: 'sub', deviceClassName: 'configured' }] },
  ];
  expect(allocate({ slices: [slice('s', ['x', 'y'])], claims: [claim({ requests, config })] })).toEqual([
    {
      devices: {
        results: [
          { request: 'one', driver: DRIVER, pool: 'p', device: 'x', tolerations: [{ operator: 'Exists' }] },
          { request: 'two/sub', driver: DRIVER, pool: 'p', device: 'y' },
        ],
        config: [
          {
            source: 'FromClass',
            requests: ['one', 'two/sub'],
            opaque: { driver: DRIVER, parameters: { of: 'class' } },
          },
          { source: 'FromClaim', opaque: { driver: DRIVER, parameters: { of: 'all' } } },
          { source: 'FromClaim', requests: ['two'], opaque: { driver: DRIVER, parameters: { of: 'two' } } },
        ],
      },
      nodeSelector: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
      },
    },
  ]);
});

test('devices of a zone can be used in the zone, those of all nodes everywhere', () => {
  const nodeSelector = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['z1'] }] }],
  };
  const claims = [claim({ requests: [one({ count: 2 })] })];
  const zone = slice('s', ['x', 'y'], { nodeSelector });
  expect(allocate({ slices: [zone], claims })).toMatchObject([{ nodeSelector }]);
  const everywhere = slice('s', ['x', 'y'], { allNodes: true });
  expect(allocate({ slices: [everywhere], claims })?.[0]).not.toHaveProperty('nodeSelector');
});

describe('what ends the attempt', () => {
  const slices = [slice('s', ['x'])];
  const all = { requests: [one({ allocationMode: 'All' })] };
  test.each<[string, Given, string]>([
    [
      'no class',
      { slices, claims: [claim({ requests: [one({ deviceClassName: 'gone' })] })] },
      'claim n/c, request r: could not retrieve device class gone: deviceclass.resource.k8s.io "gone" not found',
    ],
    [
      'a selector that fails',
      { slices, claims: [claim({ requests: [one({ deviceClassName: 'broken' })] })] },
      'class broken: selector #0: CEL runtime error: no such key: y',
    ],
    [
      'a selector that is wrong',
      { slices, claims: [claim({ requests: [one(select('device.nothing'))] })] },
      'claim n/c: selector #0: CEL compile error: compilation failed: ',
    ],
    [
      'too many devices',
      { slices, claims: [claim({ requests: [one({ count: 33 })] })] },
      'claim n/c: number of requested devices 33 exceeds the claim limit of 32',
    ],
    [
      'all of what is not known',
      {
        slices: [slice('s', ['x'], { pool: { name: 'p', generation: 1, resourceSliceCount: 2 } })],
        claims: [claim(all)],
      },
      'claim n/c, request r: asks for all devices, but resource pool gpu.example.com/p is currently being updated',
    ],
    [
      'names that are there twice',
      { slices: [slice('s', ['x', 'x'])], claims: [claim({ requests: [one()] })] },
      'invalid resource pools were encountered',
    ],
    [
      'all, but they do not go together',
      { slices: [slice('s', ['x'])], claims: [claim({ ...all, constraints: [{ matchAttribute: `${DRIVER}/a` }] })] },
      'claim n/c, request r: cannot add device gpu.example.com/p/x because a claim constraint would not be satisfied',
    ],
  ])('%s', (_name, given, message) => {
    expect(() => allocate(given)).toThrow(message);
  });

  test('many devices that almost fit: the same set is tried once', () => {
    const names = Array.from({ length: 14 }, (_, i) => ({ name: `d${i}`, attributes: { n: { int: i } } }));
    const requests = [one({ count: 7 })];
    const constraints = [{ matchAttribute: `${DRIVER}/n` }];
    expect(outcome({ slices: [slice('s', names)], claims: [claim({ requests, constraints })] })).toBe('none');
  });
});
