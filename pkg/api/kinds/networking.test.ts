import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const service = { name: 'web', port: { number: 80 } };
const rule = (host: string, backend: object = { service }) => ({
  host,
  http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
});

describe('ingresses', () => {
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['nothing', {}, ['spec Invalid']],
    ['address as host', { rules: [rule('10.0.0.1')] }, ['spec.rules[0].host Invalid']],
    [
      'IPv6 address as host',
      { rules: [rule('fd00::1')] },
      ['spec.rules[0].host Invalid', 'spec.rules[0].host Invalid'],
    ],
    ['no backend', { defaultBackend: {} }, ['spec.defaultBackend Invalid']],
    [
      'resource backend',
      { defaultBackend: { resource: { apiGroup: 'A', kind: 'a/b' } } },
      [
        'spec.defaultBackend.resource.apiGroup Invalid',
        'spec.defaultBackend.resource.kind Invalid',
        'spec.defaultBackend.resource.name Required',
      ],
    ],
    [
      'order',
      { defaultBackend: {}, rules: [{ http: { paths: [] } }], tls: [{ hosts: ['*'], secretName: 'A' }] },
      [
        'spec.defaultBackend Invalid',
        'spec.rules[0].http.paths Required',
        'spec.tls[0].hosts[0] Invalid',
        'spec.tls[0].secretName Invalid',
      ],
    ],
    [
      'path without a type',
      { rules: [{ http: { paths: [{ path: 'x', backend: {} }] } }] },
      ['spec.rules[0].http.paths[0].pathType Required'],
    ],
  ];
  const key = 'networking.k8s.io/Ingress';

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create(key, { spec }).errors).toEqual(errors);
  });

  it('keep the mistakes that they had', () => {
    const spec = { rules: [rule('*.example.com', {})], tls: [{ secretName: 'A' }] };
    expect(create(key, { spec }).errors).toHaveLength(2);
    expect(update(key, { spec }, () => {}).errors).toEqual([]);
    const more = update(key, { spec: { rules: [rule('a.example.com')] } }, (object) => {
      object.spec = spec;
    });
    expect(more.errors).toHaveLength(2);
  });

  it('report addresses', () => {
    const ingress = [{ ip: '1.2.3', hostname: '1.2.3.4' }];
    const object = newObject(key, { spec: {}, status: { loadBalancer: { ingress } } });
    const errors = strategies.get(key)?.validateUpdate?.(object, object, { nowMs: 0, subresource: 'status' }) ?? [];
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'status.loadBalancer.ingress[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
    ]);
  });

  it('warn of the old annotation', () => {
    const metadata = { annotations: { 'kubernetes.io/ingress.class': 'a' } };
    const warnings = strategies.get(key)?.warnings?.(newObject(key, { metadata, spec: {} }), undefined);
    expect(warnings).toEqual([
      'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
    ]);
  });
});

describe('classes of ingresses', () => {
  const parameters = { kind: 'K', name: 'n' };
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['controller', { controller: 'a_b/c d' }, ['spec.controller Invalid', 'spec.controller Invalid']],
    ['no controller', {}, ['spec.controller Required']],
    [
      'namespace',
      { controller: 'a/b', parameters: { ...parameters, scope: 'Namespace', namespace: 'a.b' } },
      ['spec.parameters.namespace Invalid'],
    ],
    [
      'namespace of the cluster',
      { controller: 'a/b', parameters: { ...parameters, kind: 'a/b', namespace: '' } },
      ['spec.parameters.kind Invalid', 'spec.parameters.namespace Forbidden'],
    ],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create('networking.k8s.io/IngressClass', { spec }).errors).toEqual(errors);
  });
});

describe('addresses of Services', () => {
  const parentRef = { resource: 'services', name: 'a', namespace: 'n' };

  it('have a parent for good', () => {
    const key = 'networking.k8s.io/IPAddress';
    expect(create(key, { spec: {} }).errors).toEqual(['spec.parentRef Required']);
    expect(create(key, { spec: { parentRef: { group: 'A' } } }).errors).toEqual([
      'spec.parentRef.group Invalid',
      'spec.parentRef.resource Required',
      'spec.parentRef.name Required',
    ]);
    const { errors } = update(key, { spec: { parentRef } }, (object) => {
      object.spec = { parentRef: { ...parentRef, name: 'b' } };
    });
    expect(errors).toEqual(['spec.parentRef Invalid']);
    const gone = update(key, { spec: { parentRef } }, (object) => {
      object.spec = {};
    });
    expect(gone.errors).toEqual(['spec.parentRef Required', 'spec.parentRef Invalid']);
    expect(strategies.get(key)?.validateName?.('10.0.0.1')).toEqual([]);
  });

  it.each([
    [[], ['spec.cidrs Required']],
    [['10.0.0.0/8', 'fd00::/64'], []],
    [['10.0.0.0/8', '11.0.0.0/8'], ['spec.cidrs Invalid']],
    [['10.0.0.0/8', 'fd00::/64', '11.0.0.0/8'], ['spec.cidrs Invalid']],
    [['10.0.0.1/8'], ['spec.cidrs[0] Invalid']],
    [['', 'fd00::/64'], ['spec.cidrs[0] Invalid']],
  ])('come from ranges %j', (cidrs, errors) => {
    expect(create('networking.k8s.io/ServiceCIDR', { spec: { cidrs } }).errors).toEqual(errors);
  });

  it('come from ranges that stay', () => {
    const { errors } = update('networking.k8s.io/ServiceCIDR', { spec: { cidrs: ['10.0.0.0/8'] } }, (object) => {
      object.spec = { cidrs: ['11.0.0.0/8'] };
    });
    expect(errors).toEqual(['spec.cidrs[0] Invalid']);
  });

  it.each([
    [['10.0.0.0/8', 'fd00::/64'], []],
    [
      ['11.0.0.0/8', '12.0.0.0/8'],
      ['spec.cidrs[0] Invalid', 'spec.cidrs Invalid'],
    ],
    [[], ['spec.cidrs Invalid']],
  ])('one range may become %j', (cidrs, expected) => {
    const { errors } = update('networking.k8s.io/ServiceCIDR', { spec: { cidrs: ['10.0.0.0/8'] } }, (object) => {
      object.spec = { cidrs };
    });
    expect(errors).toEqual(expected);
  });
});

it('network policies warn of ranges with two meanings', () => {
  const key = 'networking.k8s.io/NetworkPolicy';
  const spec = { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.1/8', except: ['10.1.0.0/16'] } }] }] };
  expect(create(key, { spec }).errors).toEqual([]);
  expect(strategies.get(key)?.warnings?.(newObject(key, { spec }), undefined)).toEqual([
    'spec.egress[0].to[0].ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
  ]);
});
