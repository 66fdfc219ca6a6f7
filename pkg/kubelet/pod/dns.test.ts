import { describe, expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { podDNS } from './dns.ts';

const host = { servers: ['192.0.2.1'], searches: ['example.org', '.'], options: ['timeout:1'] };
const cluster = { clusterDNS: ['10.43.0.10'], clusterDomain: 'cluster.local' };
const pod = (spec: object): Pod =>
  ({ metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [], ...spec } }) as unknown as Pod;
const names = (count: number, length: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(length, 'a'));

describe('the resolv.conf of a pod', () => {
  test.each<[string, object, object]>([
    [
      'of the cluster',
      {},
      {
        servers: ['10.43.0.10'],
        searches: ['n.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org'],
        options: ['ndots:5'],
      },
    ],
    ['of the host', { dnsPolicy: 'Default' }, host],
    ['of the host for its network', { hostNetwork: true }, host],
    [
      'of its own',
      {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['192.0.2.2'], searches: ['a'], options: [{ name: 'ndots', value: '2' }] },
      },
      { servers: ['192.0.2.2'], searches: ['a'], options: ['ndots:2'] },
    ],
  ])('%s', (_name, spec, config) => {
    expect(podDNS(pod(spec), host, cluster)).toEqual({ config, omitted: [] });
  });

  test('leaves out what resolvers do not read, and says so', () => {
    const servers = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'];
    const many = podDNS(
      pod({ dnsPolicy: 'None', dnsConfig: { nameservers: servers, searches: names(33, 3) } }),
      host,
      cluster,
    );
    expect(many.config.servers).toEqual(servers.slice(0, 3));
    expect(many.config.searches).toEqual(names(32, 3));
    expect(many.omitted).toEqual([
      'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.2 192.0.2.3 192.0.2.4',
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${names(32, 3).join(' ')}`,
    ]);
    const long = podDNS(pod({ dnsPolicy: 'None', dnsConfig: { searches: names(12, 200) } }), host, cluster);
    expect(long.config.searches).toEqual(names(10, 200));
  });
});
