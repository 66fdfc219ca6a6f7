import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const group = 'resource.k8s.io';
const opaque = { driver: 'gpu.example.com', parameters: { a: 1 } };
const exactly = { deviceClassName: 'gpu' };
const requests = [{ name: 'a', exactly }];

describe('claims of devices', () => {
  const at = 'spec.devices';
  const cases: [name: string, devices: object, errors: string[]][] = [
    ['nothing', {}, []],
    ['defaults', { requests, constraints: [{ matchAttribute: 'example.com/model' }], config: [{ opaque }] }, []],
    [
      'requests',
      {
        requests: [
          { name: 'A' },
          { name: 'b', exactly: { allocationMode: 'All', count: 2 } },
          { name: 'b', exactly, firstAvailable: [{ name: 'c' }] },
          { name: 'd', exactly: { ...exactly, allocationMode: 'Odd' } },
        ],
      },
      [
        `${at}.requests[0].name Invalid`,
        `${at}.requests[0] Required`,
        `${at}.requests[1].exactly.deviceClassName Required`,
        `${at}.requests[1].exactly.count Invalid`,
        `${at}.requests[2] Invalid`,
        `${at}.requests[3].exactly.allocationMode NotSupported`,
        `${at}.requests[2] Duplicate`,
      ],
    ],
    [
      'alternatives',
      {
        requests: [
          {
            name: 'a',
            firstAvailable: [
              { ...exactly, name: 'x' },
              { ...exactly, name: 'x' },
            ],
          },
        ],
        constraints: [{ requests: ['a/x', 'a/y', 'a/b/c', 'a/x'] }],
      },
      [
        `${at}.requests[0].firstAvailable[1] Duplicate`,
        `${at}.constraints[0].requests[1] Invalid`,
        `${at}.constraints[0].requests[2] Invalid`,
        `${at}.constraints[0].requests[3] Duplicate`,
        `${at}.constraints[0] Required`,
      ],
    ],
    [
      'selectors and tolerations',
      {
        requests: [
          {
            name: 'a',
            exactly: {
              ...exactly,
              selectors: [{}, { cel: { expression: 'x'.repeat(10_241) } }],
              tolerations: [{ operator: 'Exists', value: 'x', effect: 'Odd' }, { operator: 'Odd' }],
            },
          },
        ],
      },
      [
        `${at}.requests[0].exactly.selectors[0].cel Required`,
        `${at}.requests[0].exactly.selectors[1].cel.expression TooLong`,
        `${at}.requests[0].exactly.tolerations[0].value Invalid`,
        `${at}.requests[0].exactly.tolerations[0].effect NotSupported`,
        `${at}.requests[0].exactly.tolerations[1].operator NotSupported`,
      ],
    ],
    [
      'settings',
      {
        requests,
        config: [{}, { opaque: { driver: 'A_', parameters: null } }],
        constraints: [{ matchAttribute: 'model' }, { distinctAttribute: '/x' }],
      },
      [
        `${at}.constraints[0].matchAttribute Invalid`,
        `${at}.constraints[1].distinctAttribute Invalid`,
        `${at}.config[0].opaque Required`,
        `${at}.config[1].opaque.driver Invalid`,
        `${at}.config[1].opaque.parameters Required`,
      ],
    ],
    ['too many', { requests: new Array(33).fill(requests[0]) }, [`${at}.requests TooMany`]],
  ];

  it.each(cases)('%s', (_name, devices, errors) => {
    expect(create(`${group}/ResourceClaim`, { spec: { devices } }).errors).toEqual(errors);
    const template = create(`${group}/ResourceClaimTemplate`, { spec: { spec: { devices } } });
    expect(template.errors).toEqual(errors.map((error) => `spec.${error}`));
  });

  it('are for one device', () => {
    const { object } = create(`${group}/ResourceClaim`, { spec: { devices: { requests } } });
    expect(object.spec).toEqual({
      devices: { requests: [{ name: 'a', exactly: { ...exactly, allocationMode: 'ExactCount', count: 1 } }] },
    });
    const apiVersion = 'resource.k8s.io/v1beta1';
    const old = create(`${group}/ResourceClaim`, {
      apiVersion,
      spec: { devices: { requests: [{ name: 'a', ...exactly }] } },
    });
    expect(old.errors).toEqual([]);
    expect(old.object.spec).toMatchObject({
      devices: { requests: [{ name: 'a', allocationMode: 'ExactCount', count: 1 }] },
    });
  });

  it('made from templates have labels and annotations of them, nothing else', () => {
    const metadata = { labels: { 'a b': '' }, name: 'x', uid: 'u', finalizers: [] };
    const { errors } = create(`${group}/ResourceClaimTemplate`, {
      spec: { metadata, spec: { devices: { requests } } },
    });
    const at = 'spec.metadata';
    expect(errors).toEqual([
      `${at}.labels Invalid`,
      `${at}.name Forbidden`,
      `${at}.uID Forbidden`,
      `${at}.finalizers Forbidden`,
    ]);
  });

  it.each(['ResourceClaim', 'ResourceClaimTemplate'])('stay as they are: %s', (kind) => {
    const { errors } = update(`${group}/${kind}`, { spec: { devices: { requests } } }, (object) => {
      object.spec = { devices: {}, spec: { devices: {} } };
    });
    expect(errors).toContain('spec Invalid');
  });
});

describe('status of claims', () => {
  const key = `${group}/ResourceClaim`;
  const result = { request: 'a', driver: 'd', pool: 'p', device: 'x' };
  const allocation = { devices: { results: [result] } };
  const consumer = { resource: 'pods', name: 'a', uid: 'u' };
  const cases: [name: string, now: object, before: object, errors: string[]][] = [
    ['allocated', { allocation, reservedFor: [consumer], devices: [{ driver: 'd', pool: 'p', device: 'x' }] }, {}, []],
    ['reserved only', { reservedFor: [consumer] }, {}, ['status.reservedFor Forbidden']],
    ['changed', { allocation: { devices: {} } }, { allocation }, ['status.allocation Invalid']],
    [
      'bad results',
      {
        allocation: {
          devices: {
            results: [{ ...result, request: 'b', pool: 'P', shareID: 'x', bindingConditions: ['c'] }],
            config: [{ opaque }],
          },
        },
      },
      {},
      [
        'status.allocation.devices.results[0].request Invalid',
        'status.allocation.devices.results[0].pool Invalid',
        'status.allocation.devices.results[0].bindingFailureConditions Invalid',
        'status.allocation.devices.results[0].shareID Invalid',
        'status.allocation.devices.config[0].source Required',
      ],
    ],
    [
      'devices of somebody else',
      { devices: [{ driver: 'd', pool: 'p', device: 'y', networkData: { ips: ['1.2.3.4'] } }] },
      {},
      ['status.devices[0] Invalid', 'status.devices[0].networkData.ips[0] Invalid'],
    ],
  ];

  it.each(cases)('%s', (_name, now, before, expected) => {
    const make = (status: object) => newObject(key, { spec: { devices: { requests } }, status });
    const errors = strategies.get(key)?.validateUpdate?.(make(now), make(before), { nowMs: 0, subresource: 'status' });
    expect(errors?.map(({ field, type }) => `${field} ${type.slice(10)}`)).toEqual(expected);
  });
});

it('classes of devices', () => {
  const spec = { selectors: [{}], config: [{ opaque: { ...opaque, parameters: [1] } }], extendedResourceName: 'cpu' };
  expect(create(`${group}/DeviceClass`, { spec }).errors).toEqual([
    'spec.selectors[0].cel Required',
    'spec.config[0].opaque.parameters Invalid',
    'spec.extendedResourceName Invalid',
  ]);
});

describe('slices of devices', () => {
  const key = `${group}/ResourceSlice`;
  const slice = { driver: 'd', pool: { name: 'p', resourceSliceCount: 1, generation: 1 }, nodeName: 'n' };
  const device = (value: object) => ({ ...slice, devices: [{ name: 'x', ...value }] });
  const at = 'spec.devices[0]';
  const counters = { a: { value: '1' } };
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['complete', device({ attributes: { model: { string: 'm' } }, capacity: { memory: { value: '1Gi' } } }), []],
    [
      'empty',
      {},
      ['spec.driver Required', 'spec.pool.name Required', 'spec.pool.resourceSliceCount Invalid', 'spec Required'],
    ],
    [
      'places',
      { ...slice, allNodes: true, perDeviceNodeSelection: false },
      ['spec.perDeviceNodeSelection Invalid', 'spec Invalid'],
    ],
    ['counters and devices', { ...slice, devices: [], sharedCounters: [{ name: 'a', counters }] }, ['spec Invalid']],
    [
      'counters',
      { ...slice, sharedCounters: [{ name: 'A' }] },
      ['spec.sharedCounters[0].name Invalid', 'spec.sharedCounters[0].counters Required'],
    ],
    [
      'attributes',
      device({
        attributes: { '1': { bool: true }, a: {}, 'b/c/d': { int: 1 }, v: { version: '1' } },
        consumesCounters: [
          { counterSet: 'a', counters },
          { counterSet: 'a', counters },
        ],
      }),
      [
        `${at}.attributes Invalid`,
        `${at}.attributes[a] Invalid`,
        `${at}.attributes[v].version Invalid`,
        `${at}.consumesCounters[1] Duplicate`,
      ],
    ],
    [
      'taints',
      device({ taints: [{ key: 'a b', effect: 'Odd' }, { key: 'a' }] }),
      [`${at}.taints[0].key Invalid`, `${at}.taints[0].effect NotSupported`, `${at}.taints[1].effect Required`],
    ],
    ['place of a device', device({ allNodes: true }), [`${at} Invalid`]],
    ['no place of a device', { ...device({}), nodeName: undefined, perDeviceNodeSelection: true }, [`${at} Required`]],
    [
      'policy',
      device({ capacity: { m: { value: '4', requestPolicy: {} } } }),
      [`${at}.capacity[m].requestPolicy Forbidden`],
    ],
    [
      'values',
      device({
        allowMultipleAllocations: true,
        capacity: { m: { value: '4', requestPolicy: { default: '3', validValues: ['2', '1', '8'] } } },
      }),
      [
        `${at}.capacity[m].requestPolicy.validValues[1] Invalid`,
        `${at}.capacity[m].requestPolicy.validValues[2] Invalid`,
        `${at}.capacity[m].requestPolicy.validValues Invalid`,
      ],
    ],
    [
      'range',
      device({
        allowMultipleAllocations: true,
        capacity: { m: { value: '8', requestPolicy: { default: '1', validRange: { min: '2', max: '9', step: '2' } } } },
      }),
      [
        `${at}.capacity[m].requestPolicy.validRange.min Invalid`,
        `${at}.capacity[m].requestPolicy.validRange.max Invalid`,
        `${at}.capacity[m].requestPolicy.validRange.step Invalid`,
        `${at}.capacity[m].requestPolicy.validRange.step Invalid`,
      ],
    ],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create(key, { spec }).errors).toEqual(errors);
  });

  it('show what is wrong as the internal types of upstream have it', () => {
    const terms = [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, {}];
    const attributes = { a: { string: 'x', ints: [1] } };
    const spec = {
      ...device({ attributes }),
      nodeName: undefined,
      nodeSelector: { nodeSelectorTerms: terms },
    };
    const errors = strategies.get(key)?.validate?.(newObject(key, { spec }), { nowMs: 0, subresource: '' }) ?? [];
    expect(errors.map(({ message }) => message)).toEqual([
      'Invalid value: [{"MatchExpressions":[{"Key":"a","Operator":"Exists","Values":null}],"MatchFields":null},{"MatchExpressions":null,"MatchFields":null}]: must have exactly one node selector term',
      'Invalid value: {"IntValue":null,"BoolValue":null,"StringValue":"x","VersionValue":null,"IntValues":[1],"BoolValues":null,"StringValues":null,"VersionValues":null}: exactly one value must be specified',
    ]);
  });

  it('say since when a taint is there', () => {
    const { object } = create(key, { spec: device({ taints: [{ key: 'a', effect: 'NoSchedule' }] }) });
    expect(object.spec).toMatchObject({ devices: [{ taints: [{ timeAdded: '2030-01-01T00:00:00Z' }] }] });
  });

  it('stay with their driver, pool and node', () => {
    const { errors } = update(key, { spec: slice }, (object) => {
      object.spec = { ...slice, driver: 'e', nodeName: 'm', pool: { ...slice.pool, name: 'q' } };
    });
    expect(errors).toEqual(['spec.pool.name Invalid', 'spec.driver Invalid', 'spec.nodeName Invalid']);
  });
});
