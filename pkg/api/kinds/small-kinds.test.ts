import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

describe('new objects', () => {
  const endpoints = (...list: object[]) => ({ addressType: 'IPv4', endpoints: list });
  const slice = 'discovery.k8s.io/EndpointSlice';
  const hinted = { addresses: ['1.2.3.4'], hints: { forZones: [{ name: '' }], forNodes: [{ name: 'A' }] } };
  const api = 'apiregistration.k8s.io/APIService';
  const apiSpec = { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 };
  const remote = { ...apiSpec, service: { name: 's', namespace: 'n' } };
  const named = { metadata: { name: 'v1.a.b' } };
  const cases: [key: string, name: string, body: Record<string, unknown>, errors: string[]][] = [
    [
      slice,
      'domain names',
      { addressType: 'FQDN', endpoints: [{ addresses: ['a.b.', 'a', 'A.b', ''] }] },
      ['endpoints[0].addresses[1] Invalid', 'endpoints[0].addresses[2] Invalid', 'endpoints[0].addresses[3] Required'],
    ],
    [slice, 'many', endpoints(...new Array(1001).fill({ addresses: ['x'] })), ['endpoints TooMany']],
    [
      slice,
      'hints',
      endpoints({ addresses: ['1.2.3.4'], hints: { forZones: new Array(9).fill({ name: 'a' }) } }),
      ['endpoints[0].hints.forZones TooMany'],
    ],
    [api, 'local', { ...named, spec: apiSpec }, []],
    [
      api,
      'local with settings',
      { ...named, spec: { ...apiSpec, caBundle: 'YQ==', insecureSkipTLSVerify: true } },
      ['spec.caBundle Invalid', 'spec.insecureSkipTLSVerify Invalid'],
    ],
    [
      api,
      'remote',
      { ...named, spec: { ...remote, caBundle: 'YQ==', insecureSkipTLSVerify: true } },
      ['spec.insecureSkipTLSVerify Invalid'],
    ],
    [
      api,
      'service',
      { ...named, spec: { ...apiSpec, service: { port: 70_000 } } },
      ['spec.service.namespace Required', 'spec.service.name Required', 'spec.service.port Invalid'],
    ],
    [api, 'no name', { metadata: { name: '' }, spec: apiSpec }, []],
    [
      api,
      'no group',
      { metadata: { name: 'v2.' }, spec: { ...apiSpec, group: '', version: 'v2' } },
      ['spec.group Required'],
    ],
    ['apps/ControllerRevision', 'no data', { revision: -1 }, ['revision Invalid', 'data Required']],
    ['apps/ControllerRevision', 'text', { data: 'x' }, ['data Required']],
    [
      'policy/PodDisruptionBudget',
      'empty policy',
      { spec: { unhealthyPodEvictionPolicy: '' } },
      ['spec.unhealthyPodEvictionPolicy NotSupported'],
    ],
    [
      slice,
      'hints and protocol',
      { addressType: 'IPv4', ports: [{ protocol: '' }], endpoints: [hinted] },
      ['ports[0].protocol NotSupported', 'endpoints[0].hints.forNodes[0].name Invalid'],
    ],
    [
      'scheduling.k8s.io/PriorityClass',
      'system',
      { metadata: { name: 'system-node-critical' }, value: 1 },
      ['metadata.name Forbidden'],
    ],
    [
      'node.k8s.io/RuntimeClass',
      'same tolerations',
      {
        handler: 'a',
        scheduling: {
          tolerations: [
            { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3 },
            { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3 },
          ],
        },
      },
      ['scheduling.tolerations[1] Duplicate'],
    ],
  ];

  it.each(cases)('%s: %s', (key, _name, body, errors) => {
    expect(create(key, body).errors).toEqual(errors);
  });

  it('local APIServices are available', () => {
    const { object } = create(api, { ...named, spec: apiSpec });
    expect(object.status).toEqual({
      conditions: [
        {
          type: 'Available',
          status: 'True',
          reason: 'Local',
          message: 'Local APIServices are always available',
          lastTransitionTime: '2030-01-01T00:00:00Z',
        },
      ],
    });
    expect(create(api, { ...named, spec: remote }).object.status).toEqual({});
  });

  it('endpoints of v1 have no labels', () => {
    const body = endpoints({ addresses: ['1.2.3.4'], deprecatedTopology: { a: 'b' } });
    expect(create(slice, body).object.endpoints).toEqual([{ addresses: ['1.2.3.4'], conditions: {} }]);
    expect(strategies.get(slice)?.warnings?.(newObject(slice, { addressType: 'FQDN' }), undefined)).toEqual([
      'spec.addressType: FQDN endpoints are deprecated',
    ]);
  });
});

describe('updates', () => {
  it.each([
    ['node.k8s.io/RuntimeClass', { handler: 'a' }, { handler: 'b' }, ['handler Invalid']],
    ['node.k8s.io/RuntimeClass', { handler: 'a' }, { handler: 'A' }, ['handler Invalid', 'handler Invalid']],
    ['apps/ControllerRevision', { data: { a: 1 } }, { data: null }, ['data Invalid']],
    [
      'discovery.k8s.io/EndpointSlice',
      { addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4'] }] },
      { addressType: 'IPv6' },
      ['addressType Invalid'],
    ],
  ])('of %s', (key, body, change, errors) => {
    expect(update(key, body, (object) => Object.assign(object, change)).errors).toEqual(errors);
  });

  it.each([
    [
      'policy/PodDisruptionBudget',
      { disruptionsAllowed: -1, conditions: [{ type: 'A', status: 'Odd', reason: 'A', lastTransitionTime: 't' }] },
      ['status.conditions[0].status', 'status.disruptionsAllowed'],
    ],
    [
      'apiregistration.k8s.io/APIService',
      { conditions: [{ type: 'A', status: 'Odd' }] },
      ['status.conditions[0].status'],
    ],
    [
      'flowcontrol.apiserver.k8s.io/FlowSchema',
      { conditions: [{}, {}] },
      ['status.conditions[0].type', 'status.conditions[1].type', 'status.conditions[1].type'],
    ],
  ])('of the status of %s', (key, status, fields) => {
    const object = newObject(key, { spec: {}, status });
    const errors = strategies.get(key)?.validateUpdate?.(object, object, { nowMs: 0, subresource: 'status' }) ?? [];
    expect(errors.map(({ field }) => field)).toEqual(fields);
  });
});
