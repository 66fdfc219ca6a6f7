import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { decode, encode, type Packet, type Answer as PacketAnswer, streamEncode } from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { freePort } from '../base/testing/free-port.ts';
import { createInformers } from '../client/informers.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { createDNS } from './dns.ts';
import type { Exchange } from './upstream.ts';

/** How long an answer is waited for that has to come. */
const PATIENCE_MS = 10_000;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function addCluster(cluster: FakeCluster) {
  const namespace = 'a';
  for (const name of ['a', 'default']) cluster.add(resources.namespaces, { metadata: { name } });
  const service = (name: string, spec: Record<string, unknown>) =>
    cluster.add(resources.services, { metadata: { name, namespace }, spec, status: {} });
  const ports = [
    { name: 'http', port: 80, protocol: 'TCP' },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ];
  service('web', { type: 'ClusterIP', clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5', 'fd00:43::5'], ports });
  service('db', { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports });
  service('bare', { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'] });
  service('out', { type: 'ExternalName', externalName: 'Example.com' });
  service('inside', { type: 'ExternalName', externalName: 'web.a.svc.cluster.local.' });
  service('chain', { type: 'ExternalName', externalName: 'out.a.svc.cluster.local' });
  service('number', { type: 'ExternalName', externalName: '192.0.2.1' });
  service('one', { type: 'ClusterIP', clusterIP: '10.43.0.6', clusterIPs: ['10.43.0.6'], ports: [{ port: 80 }] });
  service('loop', { type: 'ExternalName', externalName: 'loop.a.svc.cluster.local' });
  service('large', { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports });
  const slice = (name: string, endpoints: readonly unknown[]) =>
    cluster.add(resources.endpointslices, {
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: ports.slice(0, 1),
      endpoints,
    });
  slice('db', [
    { addresses: ['10.42.0.2'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.42.0.3'], conditions: {} },
    { addresses: ['10.42.0.4'], hostname: 'db-2', conditions: { ready: false } },
  ]);
  slice(
    'large',
    Array.from({ length: 300 }, (_, index) => ({ addresses: [`10.42.${100 + (index >> 7)}.${(index & 127) + 1}`] })),
  );
}

/** Answers every name with one address, but for some. */
const exchange: Exchange & { asked: string[] } = {
  asked: [],
  async udp({ address }, packet) {
    const query = decode(packet);
    const question = query.questions?.[0];
    exchange.asked.push(`${address} ${question?.name} ${question?.type}`);
    if (question?.name === 'broken.example.com') throw new Error('no answer');
    const answers: PacketAnswer[] = [{ type: 'A', name: question?.name ?? '', ttl: 60, data: '198.51.100.7' }];
    return Buffer.from(encode({ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], answers }));
  },
  tcp: () => Promise.reject(new Error('not used')),
};

async function start() {
  const cluster = new FakeCluster();
  addCluster(cluster);
  exchange.asked.length = 0;
  const metrics = createMetrics();
  const deps = { clock: systemClock, logger: silentLogger, metrics };
  const informers = createInformers(cluster.client, deps);
  const port = await freePort();
  const dns = createDNS(
    {
      addresses: ['127.0.0.1'],
      port,
      clusterDomain: 'cluster.local',
      clusterNetworks: ['10.42.0.0/16', '10.43.0.0/16', 'fd00:43::/112'],
      upstreams: [
        { address: 'first', port: 53 },
        { address: 'second', port: 53 },
      ],
    },
    { ...deps, informers, exchange, random: () => 0 },
  );
  const controller = new AbortController();
  const running = [informers.run(controller.signal, () => {})];
  await new Promise<void>((resolve, reject) => {
    running.push(dns.run(controller.signal, resolve));
    running[1]?.catch(reject);
  });
  stops.push(() => {
    controller.abort();
    return Promise.all(running);
  });
  const raw = (packet: Uint8Array, waitMs: number) => askUDP(port, packet, waitMs);
  const ask = async (
    name: string,
    type = 'A',
    more: Partial<Packet> = {},
  ): Promise<Packet & Record<string, unknown>> => {
    const query = { type: 'query', id: 7, flags: 256, questions: [{ name, type: type as 'A' }], ...more } as Packet;
    const packet = encode(query);
    // As resolvers do: a packet may be lost.
    let answer: Buffer | undefined;
    for (let i = 0; i < 5 && answer === undefined; i++) answer = await raw(packet, PATIENCE_MS);
    return decode(answer as Buffer) as unknown as Packet & Record<string, unknown>;
  };
  return { cluster, port, ask, raw, metrics };
}

function askUDP(port: number, packet: Uint8Array, waitMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const finish = (answer: Buffer | undefined) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), waitMs);
    socket.on('message', finish);
    socket.on('error', reject);
    socket.send(packet, port, '127.0.0.1');
  });
}

/** `TYPE data` of each record. */
function data(records: readonly PacketAnswer[] = []): string[] {
  return records.map((record) => {
    const value = 'data' in record ? record.data : undefined;
    if (record.type === 'SRV') {
      const srv = value as { target: string; port: number };
      return `SRV ${srv.target}:${srv.port}`;
    }
    if (record.type === 'TXT') return `TXT ${String(value)}`;
    return `${record.type} ${typeof value === 'string' ? value : ''}`.trim();
  });
}

describe('the cluster zone', () => {
  test.each([
    ['web.a.svc.cluster.local', 'A', ['A 10.43.0.5']],
    ['WEB.a.SVC.cluster.local', 'A', ['A 10.43.0.5']],
    ['web.a.svc.cluster.local', 'AAAA', ['AAAA fd00:43::5']],
    ['_http._tcp.web.a.svc.cluster.local', 'SRV', ['SRV web.a.svc.cluster.local:80']],
    ['web.a.svc.cluster.local', 'SRV', ['SRV web.a.svc.cluster.local:80', 'SRV web.a.svc.cluster.local:53']],
    ['db.a.svc.cluster.local', 'A', ['A 10.42.0.2', 'A 10.42.0.3']],
    ['db-0.db.a.svc.cluster.local', 'A', ['A 10.42.0.2']],
    ['10-42-0-3.db.a.svc.cluster.local', 'A', ['A 10.42.0.3']],
    [
      '_http._tcp.db.a.svc.cluster.local',
      'SRV',
      ['SRV db-0.db.a.svc.cluster.local:80', 'SRV 10-42-0-3.db.a.svc.cluster.local:80'],
    ],
    ['inside.a.svc.cluster.local', 'A', ['CNAME web.a.svc.cluster.local', 'A 10.43.0.5']],
    ['out.a.svc.cluster.local', 'A', ['CNAME Example.com', 'A 198.51.100.7']],
    ['CHAIN.a.svc.cluster.local', 'A', ['CNAME out.a.svc.cluster.local', 'CNAME Example.com', 'A 198.51.100.7']],
    ['one.a.svc.cluster.local', 'SRV', ['SRV one.a.svc.cluster.local:80']],
    ['1-2-3-4.a.pod.cluster.local', 'A', ['A 1.2.3.4']],
    ['dns-version.cluster.local', 'TXT', ['TXT 1.1.0']],
    ['ns.dns.cluster.local', 'A', ['A 127.0.0.1']],
    ['5.0.43.10.in-addr.arpa', 'PTR', ['PTR web.a.svc.cluster.local']],
    ['2.0.42.10.in-addr.arpa', 'PTR', ['PTR db-0.db.a.svc.cluster.local']],
    [
      '5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.4.0.0.0.0.d.f.ip6.arpa',
      'PTR',
      ['PTR web.a.svc.cluster.local'],
    ],
  ])('%s %s', async (name, type, expected) => {
    const { ask } = await start();
    const answer = await ask(name, type);
    expect(answer['rcode']).toBe('NOERROR');
    expect(answer['flag_aa']).toBe(true);
    expect(data(answer.answers)).toEqual(expected);
    expect(answer.questions?.[0]?.name).toBe(name);
  });

  test.each([
    ['web.b.svc.cluster.local', 'NXDOMAIN'],
    ['example.com.a.svc.cluster.local', 'NXDOMAIN'],
    ['example.com.cluster.local', 'NXDOMAIN'],
    ['bare.a.svc.cluster.local', 'NXDOMAIN'],
    ['db-2.db.a.svc.cluster.local', 'NXDOMAIN'],
    ['_http._udp.web.a.svc.cluster.local', 'NXDOMAIN'],
    ['1-2-3.a.pod.cluster.local', 'NXDOMAIN'],
    ['_._tcp.one.a.svc.cluster.local', 'NXDOMAIN'],
    ['number.a.svc.cluster.local', 'NXDOMAIN'],
    ['9.9.42.10.in-addr.arpa', 'NXDOMAIN'],
    ['5.0.43.10.in-addr.arpa', 'NOERROR'],
    ['a.svc.cluster.local', 'NOERROR'],
    ['_tcp.web.a.svc.cluster.local', 'NOERROR'],
    ['svc.cluster.local', 'NOERROR'],
    ['loop.a.svc.cluster.local', 'SERVFAIL'],
  ])('%s: %s with the start of authority', async (name, rcode) => {
    const { ask } = await start();
    const answer = await ask(name);
    expect(answer['rcode']).toBe(rcode);
    expect((answer.answers ?? []).filter((record) => record.type !== 'CNAME')).toEqual([]);
    expect(data(answer.authorities)).toEqual(['SOA']);
    expect(`.${name}`.endsWith(`.${answer.authorities?.[0]?.name}`)).toBe(true);
    expect(exchange.asked).toEqual([]);
  });

  test('follows the cluster', async () => {
    const { cluster, ask } = await start();
    cluster.remove(resources.services, { namespace: 'a', name: 'web' });
    await expect.poll(async () => (await ask('web.a.svc.cluster.local'))['rcode']).toBe('NXDOMAIN');
  });
});

describe('transport', () => {
  test('long answers are cut by UDP, longer with EDNS, and whole by TCP', async () => {
    const { ask, port } = await start();
    const name = 'large.a.svc.cluster.local';
    const plain = await ask(name);
    expect(plain['flag_tc']).toBe(true);
    expect(plain.answers?.length).toBe(29);
    const opt = { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] } as unknown as PacketAnswer;
    const extended = await ask(name, 'A', { additionals: [opt] });
    expect(extended['flag_tc']).toBe(true);
    expect(extended.answers?.length).toBe(73);
    expect(extended.additionals?.map((record) => record.type)).toEqual(['OPT']);
    const whole = await new Promise<Packet>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let received = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < received.readUInt16BE(0) + 2) return;
        socket.destroy();
        resolve(decode(received.subarray(2)));
      });
      socket.on('error', reject);
      const query = streamEncode({ type: 'query', id: 9, questions: [{ name, type: 'A' }] });
      socket.write(query.subarray(0, 5));
      setImmediate(() => socket.write(query.subarray(5)));
    });
    expect(whole.answers).toHaveLength(300);
    expect(whole.id).toBe(9);
  });

  test('packets of noise, and packets that are nearly right, do no harm', async () => {
    const { raw, ask } = await start();
    const right = encode({
      type: 'query',
      id: 9,
      flags: 256,
      questions: [{ name: 'web.a.svc.cluster.local', type: 'A' }],
    });
    let seed = 20_261_126;
    const random = (below: number): number => {
      // A linear congruential generator: the same packets in each run.
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % below;
    };
    const packets = Array.from({ length: 2000 }, (_, index) => {
      const packet = index % 4 === 0 ? Buffer.alloc(random(600)) : Buffer.concat([right, Buffer.alloc(random(40))]);
      const changes = index % 4 === 0 ? packet.length : 1 + random(8);
      for (let change = 0; change < changes && packet.length > 0; change++) packet[random(packet.length)] = random(256);
      return packet.subarray(0, random(8) === 0 ? random(packet.length + 1) : packet.length);
    });
    for (let start = 0; start < packets.length; start += 100)
      await Promise.all(packets.slice(start, start + 100).map((packet) => raw(packet, 50)));
    expect((await ask('web.a.svc.cluster.local')).answers).toMatchObject([{ data: '10.43.0.5' }]);
  });

  test('hostile packets get an error or nothing, and the next query is answered', async () => {
    const { ask, raw } = await start();
    const good = Buffer.from(
      encode({ type: 'query', id: 1, questions: [{ name: 'web.a.svc.cluster.local', type: 'A' }] }),
    );
    let seed = 42;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
      return seed / 0x7fffffff;
    };
    const packets: Buffer[] = [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(12), Buffer.alloc(600, 0xc0)];
    for (let round = 0; round < 400; round++) {
      const packet = Buffer.from(good.subarray(0, Math.ceil(random() * good.length)));
      for (let flips = 0; flips < 4; flips++) packet[Math.floor(random() * packet.length)] = Math.floor(random() * 256);
      packets.push(packet);
    }
    await Promise.all(packets.map((packet) => raw(packet, 50)));
    expect(data((await ask('web.a.svc.cluster.local')).answers)).toEqual(['A 10.43.0.5']);
  });

  test.each([
    ['an answer', 2, 0x80, undefined],
    ['two questions', 5, 2, 1],
    ['an update', 2, 0x28, 4],
  ])('%s', async (_, offset, value, rcode) => {
    const { raw } = await start();
    const packet = Buffer.from(encode({ type: 'query', id: 1, questions: [{ name: 'a.b', type: 'A' }] }));
    packet[offset] = value;
    const answer = await raw(packet, rcode === undefined ? 100 : PATIENCE_MS);
    expect(answer === undefined ? undefined : answer.readUInt16BE(2) & 0xf).toBe(rcode);
  });
});

describe('forwarding', () => {
  test('asks once, then answers from the cache', async () => {
    const { ask } = await start();
    const answers = await Promise.all([ask('example.org'), ask('example.org'), ask('Example.Org')]);
    expect(answers.map((answer) => data(answer.answers))).toEqual(Array(3).fill(['A 198.51.100.7']));
    expect(answers[2]?.questions?.[0]?.name).toBe('Example.Org');
    await ask('example.org');
    expect(exchange.asked).toEqual(['first example.org A']);
  });

  test('what happened is counted, by the names of CoreDNS', async () => {
    const { ask, metrics } = await start();
    for (const name of ['example.org', 'example.org', 'web.a.svc.cluster.local', 'x.a.svc.cluster.local'])
      await ask(name);
    const text = await metrics.metrics();
    const common = 'server="dns://:53",view="",zone="."';
    expect(text).toContain(`coredns_dns_requests_total{${common},proto="udp",family="1",type="A"} 4`);
    for (const [rcode, plugin, count] of [
      ['NOERROR', 'forward', 1],
      ['NOERROR', 'cache', 1],
      ['NOERROR', 'kubernetes', 1],
      ['NXDOMAIN', 'kubernetes', 1],
    ])
      expect(text).toContain(`coredns_dns_responses_total{${common},rcode="${rcode}",plugin="${plugin}"} ${count}`);
    expect(text).toContain('coredns_cache_hits_total{server="dns://:53",view="",zones=".",type="success"} 1');
    expect(text).toContain('coredns_cache_misses_total{server="dns://:53",view="",zones="."} 1');
    expect(text).toContain('coredns_cache_entries{server="dns://:53",view="",zones=".",type="success"} 1');
    expect(text).toContain('coredns_proxy_request_duration_seconds_count{proxy_name="forward",to="first:53"} 1');
    expect(text).toContain(`coredns_dns_request_duration_seconds_count{${common}} 4`);
  });

  test('the ConfigMap says who else is asked, for domains and for everything', async () => {
    const { cluster, ask } = await start();
    await ask('www.acme.local');
    const data = { stubDomains: '{"acme.local": ["192.0.2.1"]}', upstreamNameservers: '["192.0.2.2"]' };
    cluster.add(resources.configmaps, { metadata: { namespace: 'kube-system', name: 'kube-dns' }, data });
    await expect
      .poll(async () => {
        await ask('www.acme.local');
        return exchange.asked.at(-1);
      })
      .toBe('192.0.2.1 www.acme.local A');
    await ask('example.com');
    expect(exchange.asked.at(-1)).toBe('192.0.2.2 example.com A');
    expect((await ask('web.a.svc.cluster.local')).answers).toMatchObject([{ data: '10.43.0.5' }]);
    cluster.remove(resources.configmaps, { namespace: 'kube-system', name: 'kube-dns' });
    await expect
      .poll(async () => {
        await ask('www.acme.local');
        return exchange.asked.at(-1);
      })
      .toBe('first www.acme.local A');
  });

  test('tries other resolvers, and says SERVFAIL when none answers', async () => {
    const { ask } = await start();
    expect((await ask('broken.example.com'))['rcode']).toBe('SERVFAIL');
    expect(exchange.asked.map((line) => line.split(' ')[0])).toEqual(['first', 'second', 'first']);
  });
});
