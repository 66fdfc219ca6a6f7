import { describe, expect, test } from 'vitest';
import type { Endpoint, EndpointSlice, Service } from '../api/generated/types.ts';
import type { Plan } from './plan.ts';
import { planService, type ServiceContext } from './service-plan.ts';

const context: ServiceContext = {
  nodeName: 'here',
  zone: 'z1',
  clusterCIDRs: ['10.42.0.0/16'],
  localAddresses: new Set(['10.43.0.10']),
  isTerminating: (target) => target.name === 'leaving',
};

const base = { type: 'ClusterIP', clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5'], ports: [{ port: 80 }] };

function plan(spec: Record<string, unknown>, endpoints: readonly Partial<Endpoint>[], status: unknown = {}): Plan {
  const service = { metadata: { name: 'web', namespace: 'a' }, spec: { ...base, ...spec }, status };
  const protocol = (service.spec.ports[0] as { protocol?: string }).protocol ?? 'TCP';
  const slice = { metadata: {}, addressType: 'IPv4', ports: [{ port: 8080, protocol }], endpoints };
  return planService(service as unknown as Service, [slice as unknown as EndpointSlice], context);
}

function at(address: string, more: Partial<Endpoint> = {}): Partial<Endpoint> {
  return { addresses: [address], nodeName: 'here', ...more };
}

/** `set key : data` of each element but the hairpins. */
function elements({ elements: all }: Plan): string[] {
  return all
    .filter(({ set }) => !set.startsWith('hairpin'))
    .map(({ set, key, data }) => `${set} ${key}${data === undefined ? '' : ` : ${data}`}`);
}

const one = at('10.42.0.2');
const two = at('10.42.0.3');
const away = at('10.42.1.2', { nodeName: 'there' });
const balance = 'meta l4proto tcp dnat ip to numgen random mod 2 map';

describe('which backends', () => {
  const to = (address: string) => [`meta l4proto tcp dnat ip to ${address}:8080`];
  test.each<[string, readonly Partial<Endpoint>[], readonly string[] | undefined]>([
    ['one', [one], to('10.42.0.2')],
    ['two', [two, one], [`${balance} { 0 : 10.42.0.2 . 8080, 1 : 10.42.0.3 . 8080 }`]],
    ['the same twice', [one, one], to('10.42.0.2')],
    ['not ready', [one, at('10.42.0.3', { conditions: { ready: false } })], to('10.42.0.2')],
    [
      'only terminating ones',
      [at('10.42.0.3', { conditions: { ready: false, serving: true, terminating: true } })],
      to('10.42.0.3'),
    ],
    [
      'no longer serving',
      [at('10.42.0.3', { conditions: { ready: false, serving: false, terminating: true } })],
      undefined,
    ],
    [
      'a pod known to be deleted',
      [one, at('10.42.0.3', { targetRef: { kind: 'Pod', name: 'leaving' } })],
      to('10.42.0.2'),
    ],
    [
      'hints for zones',
      [
        at('10.42.0.2', { hints: { forZones: [{ name: 'z2' }] } }),
        at('10.42.0.3', { hints: { forZones: [{ name: 'z1' }] } }),
      ],
      to('10.42.0.3'),
    ],
    ['a name instead of an address', [at('evil; flush ruleset'), one], to('10.42.0.2')],
    ['the other family', [at('fd00::1'), one], to('10.42.0.2')],
  ])('%s', (_, endpoints, rules) => {
    const result = plan({}, endpoints);
    expect(result.chains.get('service4-a/web/tcp/80')).toEqual(rules);
    const element = rules === undefined ? 'no-endpoints4 10.43.0.5 . tcp . 80 : goto refuse' : undefined;
    expect(elements(result)).toEqual([element ?? 'service4 10.43.0.5 . tcp . 80 : goto service4-a/web/tcp/80']);
  });
});

describe('which frontends', () => {
  const service = 'service4-a/web/tcp/80';
  const external = 'external4-a/web/tcp/80';
  const nodePort = { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] };
  test.each<[string, Record<string, unknown>, readonly Partial<Endpoint>[], unknown, readonly string[]]>([
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }, [one], {}, []],
    ['ExternalName', { type: 'ExternalName', externalName: 'x' }, [one], {}, []],
    ['answered on the node itself', { clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'] }, [], {}, []],
    [
      'node port',
      nodePort,
      [one],
      {},
      [`service4 10.43.0.5 . tcp . 80 : goto ${service}`, `node-port4 tcp . 30080 : goto ${external}`],
    ],
    [
      'node port without backends',
      nodePort,
      [],
      {},
      ['no-endpoints4 10.43.0.5 . tcp . 80 : goto refuse', 'no-node-port-endpoints4 tcp . 30080 : goto refuse'],
    ],
    [
      'external and load balancer addresses',
      { type: 'LoadBalancer', externalIPs: ['192.0.2.1'] },
      [one],
      { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { ip: '192.0.2.3', ipMode: 'Proxy' }, { hostname: 'x' }] } },
      [
        `service4 10.43.0.5 . tcp . 80 : goto ${service}`,
        `service4 192.0.2.2 . tcp . 80 : goto ${external}`,
        `service4 192.0.2.1 . tcp . 80 : goto ${external}`,
      ],
    ],
    [
      'internalTrafficPolicy Local without a backend here',
      { internalTrafficPolicy: 'Local' },
      [away],
      {},
      ['no-endpoints4 10.43.0.5 . tcp . 80 : drop'],
    ],
    [
      'internalTrafficPolicy Local',
      { internalTrafficPolicy: 'Local' },
      [one, away],
      {},
      ['service4 10.43.0.5 . tcp . 80 : goto local4-a/web/tcp/80'],
    ],
  ])('%s', (_, spec, endpoints, status, expected) => {
    expect(elements(plan(spec, endpoints, status))).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>, readonly Partial<Endpoint>[], readonly string[]]>([
    ['Cluster', {}, [one], [`meta mark set meta mark or 0x4000 goto ${service}`]],
    [
      'Local',
      { externalTrafficPolicy: 'Local' },
      [one, away],
      [
        `ip saddr { 10.42.0.0/16 } goto ${service}`,
        `fib saddr type local meta mark set meta mark or 0x4000 goto ${service}`,
        'goto local4-a/web/tcp/80',
      ],
    ],
    [
      'Local without a backend here',
      { externalTrafficPolicy: 'Local' },
      [away],
      [
        `ip saddr { 10.42.0.0/16 } goto ${service}`,
        `fib saddr type local meta mark set meta mark or 0x4000 goto ${service}`,
        'drop',
      ],
    ],
  ])('externalTrafficPolicy %s', (_, spec, endpoints, rules) => {
    expect(plan({ ...nodePort, ...spec }, endpoints).chains.get(external)).toEqual(rules);
  });

  test('source ranges of a load balancer', () => {
    const spec = { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.0/24', 'fd00::/8', 'nonsense'] };
    const result = plan(spec, [one], { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } });
    expect(elements(result)).toContain('service4 192.0.2.2 . tcp . 80 : goto firewall4-a/web/tcp/80');
    expect(result.chains.get('firewall4-a/web/tcp/80')).toEqual([`ip saddr 192.0.2.0/24 goto ${external}`, 'drop']);
  });
});

test('session affinity: a set of clients for each backend', () => {
  const result = plan({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }, [
    one,
    two,
  ]);
  const clients = (address: string) => `clients4-a/web/tcp/80/${address}/8080/60`;
  const endpoint = (address: string) => `endpoint4-a/web/tcp/80/${address}/8080`;
  expect([...result.sets]).toEqual(
    ['10.42.0.2', '10.42.0.3'].map((address) => [
      clients(address),
      'type ipv4_addr; flags dynamic,timeout; timeout 60s;',
    ]),
  );
  expect(result.chains.get('service4-a/web/tcp/80')).toEqual([
    `ip saddr @${clients('10.42.0.2')} goto ${endpoint('10.42.0.2')}`,
    `ip saddr @${clients('10.42.0.3')} goto ${endpoint('10.42.0.3')}`,
    `numgen random mod 2 vmap { 0 : goto ${endpoint('10.42.0.2')}, 1 : goto ${endpoint('10.42.0.3')} }`,
  ]);
  expect(result.chains.get(endpoint('10.42.0.2'))).toEqual([
    `update @${clients('10.42.0.2')} { ip saddr }`,
    'meta l4proto tcp dnat ip to 10.42.0.2:8080',
  ]);
});

test('both families', () => {
  const slice = {
    addressType: 'IPv6',
    ports: [{ port: 8080, protocol: 'TCP' }],
    endpoints: [at('FD00:0::2'), at('fd00::3')],
  };
  const service = {
    metadata: { name: 'web', namespace: 'a' },
    spec: { ...base, clusterIPs: ['10.43.0.5', 'FD00:43::5'] },
  } as unknown as Service;
  const result = planService(service, [slice as unknown as EndpointSlice], context);
  expect(elements(result)).toEqual([
    'no-endpoints4 10.43.0.5 . tcp . 80 : goto refuse',
    'service6 fd00:43::5 . tcp . 80 : goto service6-a/web/tcp/80',
  ]);
  expect(result.chains.get('service6-a/web/tcp/80')).toEqual([
    'meta l4proto tcp dnat ip6 to numgen random mod 2 map { 0 : fd00::2 . 8080, 1 : fd00::3 . 8080 }',
  ]);
});
