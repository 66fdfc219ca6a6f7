import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { initIPFamilies } from './service-families.ts';
import { create, update, warningsOf } from './testing.ts';

const ports = [{ port: 80 }];
const service = (spec: object, metadata: object = {}): Record<string, unknown> => ({
  metadata,
  spec: { ports, ...spec },
});

describe('validation of Services', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['valid', service({}), []],
    ['no ports', { spec: {} }, ['spec.ports Required']],
    ['headless without ports', { spec: { clusterIP: 'None' } }, []],
    ['headless node port', service({ clusterIP: 'None', type: 'NodePort' }), ['spec.clusterIPs[0] Invalid']],
    [
      'external name with families',
      { spec: { type: 'ExternalName', externalName: 'a.', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' } },
      ['spec.ipFamilies Forbidden', 'spec.ipFamilyPolicy Forbidden'],
    ],
    ['any load balancer address', service({ loadBalancerIP: 'x' }), []],
    [
      'source ranges',
      service({ type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 ', 'x'] }),
      ['spec.LoadBalancerSourceRanges[1] Invalid'],
    ],
    [
      'source ranges without a load balancer',
      service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }),
      ['spec.LoadBalancerSourceRanges Forbidden'],
    ],
    [
      'source ranges as an annotation',
      service(
        { type: 'LoadBalancer' },
        { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8,x' } },
      ),
      ['metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] Invalid'],
    ],
    [
      'class of a load balancer',
      service({ type: 'LoadBalancer', loadBalancerClass: 'a b' }),
      ['spec.loadBalancerClass Invalid'],
    ],
    ['class of none', service({ loadBalancerClass: 'a b' }), ['spec.loadBalancerClass Forbidden']],
    [
      'node ports of none',
      service({ allocateLoadBalancerNodePorts: true }),
      ['spec.allocateLoadBalancerNodePorts Forbidden'],
    ],
    [
      'affinity too long',
      service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }),
      ['spec.sessionAffinityConfig.clientIP.timeoutSeconds Invalid'],
    ],
    [
      'traffic policies',
      service({ internalTrafficPolicy: 'x', trafficDistribution: 'y', externalTrafficPolicy: 'Local' }),
      [
        'spec.externalTrafficPolicy Invalid',
        'spec.internalTrafficPolicy NotSupported',
        'spec.trafficDistribution NotSupported',
      ],
    ],
    [
      'three addresses',
      service({ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4', '1.2.3.5', '::1'] }),
      ['spec.clusterIPs Invalid'],
    ],
    [
      'two of a family',
      service({ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4', '1.2.3.5'] }),
      ['spec.clusterIPs Invalid'],
    ],
    ['another first address', service({ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.5'] }), ['spec.clusterIPs Invalid']],
    [
      'families',
      service({ ipFamilies: ['IPv4', 'IPv4', 'IPv5'], ipFamilyPolicy: 'Odd' }),
      ['spec.ipFamilies[1] Duplicate', 'spec.ipFamilies[2] NotSupported', 'spec.ipFamilyPolicy NotSupported'],
    ],
    ['address of another family', service({ clusterIP: '::1', ipFamilies: ['IPv4'] }), ['spec.clusterIPs[0] Invalid']],
    [
      'topology twice',
      service(
        {},
        {
          annotations: {
            'service.kubernetes.io/topology-mode': 'Auto',
            'service.kubernetes.io/topology-aware-hints': 'x',
          },
        },
      ),
      ['metadata.annotations[service.kubernetes.io/topology-mode] Invalid'],
    ],
    [
      'same node port',
      service({
        type: 'NodePort',
        ports: [
          { name: 'a', port: 1, nodePort: 30000 },
          { name: 'b', port: 2, nodePort: 30000 },
        ],
      }),
      ['spec.ports[1].nodePort Duplicate'],
    ],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create('/Service', body).errors).toEqual(errors);
  });
});

describe('updates of Services', () => {
  const has = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  const cases: [string, object, object, string[]][] = [
    ['an address', has, { clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] }, ['spec.clusterIPs[0] Invalid']],
    ['the family', has, { ipFamilies: ['IPv6'] }, ['spec.ipFamilies[0] Invalid', 'spec.clusterIPs[0] Invalid']],
    ['none any more', has, { clusterIP: 'None', clusterIPs: ['None'] }, ['spec.clusterIPs[0] Invalid']],
    ['nothing without the address', has, { clusterIP: undefined, clusterIPs: undefined }, []],
    [
      'the class',
      { ...has, type: 'LoadBalancer', loadBalancerClass: 'a' },
      { loadBalancerClass: 'b' },
      ['spec.loadBalancerClass Invalid'],
    ],
    [
      'the health port',
      { ...has, type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000 },
      { healthCheckNodePort: 30_001 },
      ['spec.healthCheckNodePort Forbidden'],
    ],
  ];

  it.each(cases)('change %s', (_name, spec, change, errors) => {
    const apply = (object: KubeObject) => Object.assign(object.spec as object, change);
    expect(update('/Service', service(spec), apply).errors).toEqual(errors);
  });

  it('give addresses in the status to load balancers only', () => {
    const apply = (object: KubeObject) =>
      Object.assign(object, { status: { loadBalancer: { ingress: [{ ip: 'x' }] } } });
    expect(update('/Service', service({}), apply, 'status').errors).toEqual(['status.loadBalancer.ingress Forbidden']);
    expect(update('/Service', service({ type: 'LoadBalancer' }), apply, 'status').errors).toEqual([
      'status.loadBalancer.ingress[0].ip Invalid',
    ]);
  });
});

describe('IP families', () => {
  const single = ['IPv4'];
  const dual = ['IPv4', 'IPv6'];
  const cases: [string, Partial<ServiceSpec>, string[], Partial<ServiceSpec> | string[]][] = [
    ['by default', {}, dual, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }],
    ['preferring two', { ipFamilyPolicy: 'PreferDualStack' }, dual, { ipFamilies: ['IPv4', 'IPv6'] }],
    ['preferring two where there is one', { ipFamilyPolicy: 'PreferDualStack' }, single, { ipFamilies: ['IPv4'] }],
    ['requiring two where there is one', { ipFamilyPolicy: 'RequireDualStack' }, single, ['spec.ipFamilyPolicy']],
    ['of an address', { clusterIP: '::1', clusterIPs: ['::1'] }, dual, { ipFamilies: ['IPv6'] }],
    [
      'of an address that the cluster has not',
      { clusterIP: '::1', clusterIPs: ['::1'] },
      single,
      ['spec.clusterIPs[0]'],
    ],
    ['that the cluster has not', { ipFamilies: ['IPv6'] }, single, ['spec.ipFamilies[0]']],
    ['two with one policy', { ipFamilies: ['IPv4', 'IPv6'] }, dual, ['spec.ipFamilyPolicy']],
    [
      'without selector and address',
      { clusterIP: 'None', clusterIPs: ['None'] },
      single,
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    ],
    ['malformed', { clusterIP: 'x', clusterIPs: ['x'] }, single, ['spec.clusterIPs[0]']],
    ['of external names', { type: 'ExternalName' }, single, {}],
  ];

  it.each(cases)('%s', (_name, given, cluster, expected) => {
    const spec = { type: 'ClusterIP', ...given } as ServiceSpec;
    const errors = initIPFamilies(spec, undefined, cluster).map(({ field }) => field);
    if (Array.isArray(expected)) expect(errors).toEqual(expected);
    else expect([errors, spec]).toEqual([[], expect.objectContaining(expected)]);
  });

  it('shrink with the policy only', () => {
    const before = {
      type: 'ClusterIP',
      clusterIP: '1.2.3.4',
      clusterIPs: ['1.2.3.4', '::1'],
      ipFamilies: dual,
      ipFamilyPolicy: 'RequireDualStack',
    };
    const spec: ServiceSpec = { ...structuredClone(before), ipFamilyPolicy: 'SingleStack' };
    expect(initIPFamilies(spec, before, dual)).toEqual([]);
    expect([spec.clusterIPs, spec.ipFamilies]).toEqual([['1.2.3.4'], ['IPv4']]);
    const shrunk: ServiceSpec = { ...structuredClone(before), ipFamilies: ['IPv4'] };
    expect(initIPFamilies(shrunk, before, dual).map(({ message }) => message)).toEqual([
      'Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family',
    ]);
  });
});

describe('warnings about Services', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['none', service({}), []],
    [
      'external addresses',
      service({ externalIPs: ['2001:DB8::1'] }),
      [
        'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
        'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      ],
    ],
    [
      'headless',
      service({ clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['1.2.3.4'] }),
      ['spec.externalIPs is ignored for headless services', 'spec.SessionAffinity is ignored for headless services'],
    ],
    [
      'a name of no use',
      service({ externalName: 'a' }),
      ['spec.externalName is ignored when spec.type is not "ExternalName"'],
    ],
    [
      'an older policy',
      service({ trafficDistribution: 'PreferClose' }),
      ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ],
    [
      'hints',
      service({}, { annotations: { 'service.kubernetes.io/topology-aware-hints': 'Auto' } }),
      [
        'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
      ],
    ],
    [
      'odd addresses',
      { spec: { type: 'LoadBalancer', loadBalancerIP: '::ffff:1.2.3.4', loadBalancerSourceRanges: ['10.0.0.8/24'] } },
      [
        'spec.loadBalancerIP: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
        'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.8/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.8/32"?)',
      ],
    ],
  ];

  it.each(cases)('%s', (_name, body, warnings) => {
    expect(warningsOf('/Service', body)).toEqual(warnings);
  });
});
