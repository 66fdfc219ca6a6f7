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

/** `set key : data` of each element but the hairpins and the backends. */
function elements({ elements: all }: Plan): string[] {
  return all
    .filter(({ set }) => !set.startsWith('hairpin') && !set.includes('backend'))
    .map(({ set, key, data }) => `${set} ${key}${data === undefined ? '' : ` : ${data}`}`);
}

/** The backends of a frontend, from the maps of one kind. */
function backends({ elements: all }: Plan, kind: string, frontend: string): string[] {
  return all
    .filter(({ set, key }) => set.startsWith(`${kind}/`) && key === frontend)
    .map(({ set, data }) => `${set.slice(kind.length + 1)} ${data}`);
}

const one = at('10.42.0.2');
const two = at('10.42.0.3');
const away = at('10.42.1.2', { nodeName: 'there' });

describe('which backends', () => {
  const to = (...addresses: string[]) => addresses.map((address, index) => `${index} ${address} . 8080`);
  test.each<[string, readonly Partial<Endpoint>[], readonly string[] | undefined]>([
    ['one', [one], to('10.42.0.2')],
    ['two', [two, one], to('10.42.0.2', '10.42.0.3')],
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
      'a terminating one of a Service that publishes all addresses',
      [one, at('10.42.0.3', { conditions: { ready: true, serving: true, terminating: true } })],
      to('10.42.0.2', '10.42.0.3'),
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
  ])('%s', (_, endpoints, expected) => {
    const result = plan({}, endpoints);
    const frontend = '10.43.0.5 . tcp . 80';
    expect(backends(result, 'backend4', frontend)).toEqual(expected ?? []);
    const chain = expected?.length === 1 ? 'to-backend4/0' : `one-of-${expected?.length}-backend4`;
    const element = expected === undefined ? 'no-endpoints4 10.43.0.5 . tcp . 80 : goto refuse' : undefined;
    expect(elements(result)).toEqual([element ?? `service4 ${frontend} : goto ${chain}`]);
  });

  test('one of them is chosen, and its place in the maps leads to its address', () => {
    const { sharedChains, sharedMaps, chains } = plan({}, [one, two]);
    expect([...sharedMaps]).toEqual(
      [0, 1].map((place) => [
        `backend4/${place}`,
        'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;',
      ]),
    );
    expect(Object.fromEntries(sharedChains)).toEqual({
      'to-backend4/0': ['dnat ip to ip daddr . meta l4proto . th dport map @backend4/0'],
      'to-backend4/1': ['dnat ip to ip daddr . meta l4proto . th dport map @backend4/1'],
      'one-of-2-backend4': ['numgen random mod 2 vmap { 0 : goto to-backend4/0, 1 : goto to-backend4/1 }'],
    });
    expect(chains.size).toBe(0);
  });
});

describe('which frontends', () => {
  const service = 'to-backend4/0';
  const external = 'outside/to-backend4/0';
  const portExternal = 'outside/to-port-backend4/0';
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
      [`service4 10.43.0.5 . tcp . 80 : goto ${service}`, `node-port4 tcp . 30080 : goto ${portExternal}`],
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
      'SCTP',
      { type: 'NodePort', ports: [{ port: 80, nodePort: 30080, protocol: 'SCTP' }] },
      [one],
      {},
      [`service4 10.43.0.5 . sctp . 80 : goto ${service}`, `node-port4 sctp . 30080 : goto ${portExternal}`],
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
      ['service4 10.43.0.5 . tcp . 80 : goto to-backend-here4/0'],
    ],
  ])('%s', (_, spec, endpoints, status, expected) => {
    expect(elements(plan(spec, endpoints, status))).toEqual(expected);
  });

  const mark = 'meta mark set meta mark or 0x4000';
  test.each<[string, Record<string, unknown>, readonly Partial<Endpoint>[], string, readonly string[]]>([
    ['Cluster', {}, [one], portExternal, [`${mark} goto to-port-backend4/0`]],
    [
      'Local',
      { externalTrafficPolicy: 'Local' },
      [one, away],
      'outside-local/one-of-2-port-backend4/to-port-backend-here4/0',
      [
        'ip saddr { 10.42.0.0/16 } goto one-of-2-port-backend4',
        `fib saddr type local ${mark} goto one-of-2-port-backend4`,
        'goto to-port-backend-here4/0',
      ],
    ],
    [
      'Local without a backend here',
      { externalTrafficPolicy: 'Local' },
      [away],
      'outside-local/to-port-backend4/0/',
      [
        'ip saddr { 10.42.0.0/16 } goto to-port-backend4/0',
        `fib saddr type local ${mark} goto to-port-backend4/0`,
        'drop',
      ],
    ],
  ])('externalTrafficPolicy %s', (_, spec, endpoints, chain, rules) => {
    const result = plan({ ...nodePort, ...spec }, endpoints);
    expect(elements(result)).toContain(`node-port4 tcp . 30080 : goto ${chain}`);
    expect(result.sharedChains.get(chain)).toEqual(rules);
  });

  test('backends of each row are under each frontend that leads to them', () => {
    const spec = { ...nodePort, type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
    const result = plan(spec, [one, away], { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } });
    const both = ['0 10.42.0.2 . 8080', '1 10.42.1.2 . 8080'];
    const [here] = both;
    expect(backends(result, 'backend4', '10.43.0.5 . tcp . 80')).toEqual(both);
    expect(backends(result, 'backend-here4', '10.43.0.5 . tcp . 80')).toEqual([]);
    expect(backends(result, 'backend4', '192.0.2.2 . tcp . 80')).toEqual(both);
    expect(backends(result, 'backend-here4', '192.0.2.2 . tcp . 80')).toEqual([here]);
    expect(backends(result, 'port-backend4', 'tcp . 30080')).toEqual(both);
    expect(backends(result, 'port-backend-here4', 'tcp . 30080')).toEqual([here]);
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
    'service6 fd00:43::5 . tcp . 80 : goto one-of-2-backend6',
  ]);
  expect(backends(result, 'backend6', 'fd00:43::5 . tcp . 80')).toEqual(['0 fd00::2 . 8080', '1 fd00::3 . 8080']);
  expect(result.sharedChains.get('to-backend6/1')).toEqual([
    'dnat ip6 to ip6 daddr . meta l4proto . th dport map @backend6/1',
  ]);
});
