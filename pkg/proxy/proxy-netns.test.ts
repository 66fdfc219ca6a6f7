import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Service } from '../api/generated/types.ts';
import { systemExec } from '../base/exec.ts';
import { ProxiedNode } from './testing/proxied-node.ts';

/** Sends an answer to a connection that nobody has begun, from one address to another, in a packet of its own. */
const ANSWER = `
import socket, struct, sys
source, target = (socket.inet_aton(address) for address in sys.argv[1:3])
header = struct.pack("!HHIIBBHHH", 8080, 50000, 1, 1, 0x50, 0x12, 1000, 0, 0)
words = struct.unpack("!%dH" % 16, source + target + struct.pack("!HH", 6, len(header)) + header)
total = sum(words)
checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
packet = header[:16] + struct.pack("!H", checksum) + header[18:]
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)
sender.bind((sys.argv[1], 0))
sender.sendto(packet, (sys.argv[2], 0))
`;

const root = process.getuid?.() === 0;
if (!root) console.warn('SKIPPED pkg/proxy/proxy-netns.test.ts: network namespaces need root');

const missing = (await systemExec.run('python3', ['--version']).catch(() => undefined))?.code !== 0;
if (missing) console.warn('SKIPPED in pkg/proxy/proxy-netns.test.ts: python3 is missing');

describe.skipIf(!root)('the table in a real network', () => {
  const node = new ProxiedNode();
  const { network, cluster } = node;

  beforeAll(async () => {
    await network.open();
    await network.addPod('pod1', '10.42.0.2');
    await network.addPod('pod2', '10.42.0.3');
    await network.addPod('pod3', '10.42.0.4');
    for (const pod of ['pod1', 'pod2']) await network.serve(pod, 8080);
    await network.serve('outside', 9090);
    const nodeAddresses = [{ type: 'InternalIP', address: '192.168.77.1' }];
    cluster.add(resources.nodes, { metadata: { name: 'node' }, status: { addresses: nodeAddresses } });
    cluster.add(resources.pods, {
      metadata: { name: 'hp', namespace: 'a' },
      spec: { nodeName: 'node', containers: [{ name: 'c', ports: [{ containerPort: 8080, hostPort: 8888 }] }] },
      status: { podIPs: [{ ip: '10.42.0.2' }] },
    });
    const both = ['10.42.0.2', '10.42.0.3'];
    const local = { externalTrafficPolicy: 'Local' };
    node.addService('web', '10.43.0.20', { nodePort: 30080, spec: { externalIPs: ['192.0.2.80'] }, endpoints: both });
    node.addService('local', '10.43.0.21', { nodePort: 30081, spec: local, endpoints: ['10.42.0.2'] });
    node.addService('sticky', '10.43.0.22', { spec: { sessionAffinity: 'ClientIP' }, endpoints: both });
    node.addService('self', '10.43.0.23', { endpoints: ['10.42.0.2'] });
    node.addService('empty', '10.43.0.24', { nodePort: 30084 });
    node.addService('datagrams', '10.43.0.25', { port: 53, protocol: 'UDP', nodePort: 30085, endpoints: both });
    await node.start({
      clusterCIDRs: ['10.42.0.0/16', 'fd00:42::/56'],
      serviceCIDRs: ['10.43.0.0/16', 'fd00:43::/112'],
      localAddresses: ['10.43.0.10'],
    });
  });

  afterAll(() => node.close());

  const bySource = (answers: readonly string[]) => [...new Set(answers)].sort();

  test('a cluster IP balances over its pods, which see the pod that asks', async () => {
    expect(bySource(await network.connect('pod3', 'tcp', '10.43.0.20', 80, 30))).toEqual([
      'pod1 10.42.0.4',
      'pod2 10.42.0.4',
    ]);
  });

  test('a cluster IP is reached from the node and, masqueraded, from outside', async () => {
    for (const from of ['node', 'outside']) {
      const answers = await network.connect(from, 'tcp', '10.43.0.20', 80, 20);
      expect(bySource(answers), from).toEqual(['pod1 10.42.0.1', 'pod2 10.42.0.1']);
    }
  });

  test('a node port answers on every address of the node', async () => {
    for (const [from, to] of [
      ['outside', '192.168.77.1'],
      ['node', '192.168.77.1'],
      ['node', '127.0.0.1'],
      ['pod3', '192.168.77.1'],
    ] as const) {
      const answers = await network.connect(from, 'tcp', to, 30080, 20);
      expect(bySource(answers), `${from} to ${to}`).toEqual(['pod1 10.42.0.1', 'pod2 10.42.0.1']);
    }
  });

  test('an external IP leads to the pods', async () => {
    await network.sh('outside', 'ip route add 192.0.2.80 via 192.168.77.1');
    expect((await network.connect('outside', 'tcp', '192.0.2.80', 80))[0]).toMatch(/^pod[12] /);
  });

  test('externalTrafficPolicy Local keeps the client address', async () => {
    expect(await network.connect('outside', 'tcp', '192.168.77.1', 30081)).toEqual(['pod1 192.168.77.2']);
    await node.setEndpoints('local', ['10.42.0.3']);
    expect(await network.connect('outside', 'tcp', '192.168.77.1', 30081)).toEqual(['pod2 192.168.77.2']);
  });

  test('session affinity keeps a client on its pod while it is there', async () => {
    const answers = await network.connect('pod3', 'tcp', '10.43.0.22', 80, 20);
    expect(bySource(answers)).toHaveLength(1);
    const other = answers[0]?.startsWith('pod1') ? '10.42.0.3' : '10.42.0.2';
    await node.setEndpoints('sticky', [other]);
    const after = await network.connect('pod3', 'tcp', '10.43.0.22', 80, 5);
    expect(bySource(after)).toHaveLength(1);
    expect(after[0]).not.toBe(answers[0]);
    await node.setEndpoints('sticky', ['10.42.0.2', '10.42.0.3']);
    expect(bySource(await network.connect('pod3', 'tcp', '10.43.0.22', 80, 20))).toEqual(bySource(after));
  });

  test('a pod reaches itself through its Service and its host port', async () => {
    expect(await network.connect('pod1', 'tcp', '10.43.0.23', 80)).toEqual(['pod1 10.42.0.1']);
    expect(await network.connect('pod1', 'tcp', '192.168.77.1', 8888)).toEqual(['pod1 10.42.0.1']);
  });

  test('host ports keep the client address but for the node itself', async () => {
    expect(await network.connect('outside', 'tcp', '192.168.77.1', 8888)).toEqual(['pod1 192.168.77.2']);
    expect(await network.connect('node', 'tcp', '127.0.0.1', 8888)).toEqual(['pod1 10.42.0.1']);
  });

  test('connections without a backend are refused at once', async () => {
    for (const [from, to, port] of [
      ['pod3', '10.43.0.24', 80],
      ['node', '10.43.0.24', 80],
      ['outside', '192.168.77.1', 30084],
      ['node', '127.0.0.1', 30084],
      ['pod3', '10.43.0.20', 81],
      ['node', '10.43.9.9', 80],
    ] as const) {
      expect(await network.connect(from, 'tcp', to, port), `${from} to ${to}:${port}`).toEqual(['ECONNREFUSED']);
    }
    expect(await network.connect('pod3', 'udp', '10.43.0.24', 80)).toEqual(['ECONNREFUSED']);
  });

  test('UDP: balanced, and a backend that goes is forgotten at once', async () => {
    expect(bySource(await network.connect('pod3', 'udp', '10.43.0.25', 53, 30))).toEqual([
      'pod1 10.42.0.4',
      'pod2 10.42.0.4',
    ]);
    expect((await network.connect('node', 'udp', '127.0.0.1', 30085))[0]).toMatch(/^pod[12] 10.42.0.1$/);
    await node.setEndpoints('datagrams', ['10.42.0.3']);
    const flows = await network.sh('node', 'conntrack -L -p udp 2>/dev/null | grep "src=10.42.0.2 " || true');
    expect(flows).toBe('');
    expect(bySource(await network.connect('pod3', 'udp', '10.43.0.25', 53, 5))).toEqual(['pod2 10.42.0.4']);
  });

  test('what leaves the cluster carries an address of the node', async () => {
    expect(await network.connect('pod3', 'tcp', '192.168.77.2', 9090)).toEqual(['outside 192.168.77.1']);
  });

  test('loopback addresses do not come in from outside', async () => {
    await network.serve('node', 7070);
    await network.sh(
      'outside',
      'sysctl -q -w net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo;' +
        'ip route add 127.0.0.1 via 192.168.77.1',
    );
    expect(await network.isIgnored('outside', 'tcp', '127.0.0.1', 7070)).toBe(true);
  });

  test('Services of another proxy are left alone', async () => {
    const key = { namespace: 'a', name: 'self' };
    for (const label of ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']) {
      cluster.change<Service>(resources.services, key, (service) => {
        service.metadata.labels = { [label]: 'mine' };
      });
      await node.settle();
      expect(await network.connect('pod3', 'tcp', '10.43.0.23', 80), label).toEqual(['ECONNREFUSED']);
    }
    cluster.change<Service>(resources.services, key, (service) => {
      service.metadata.labels = {};
    });
    await node.settle();
    expect(await network.connect('pod3', 'tcp', '10.43.0.23', 80)).toEqual(['pod1 10.42.0.4']);
  });

  test.skipIf(missing)('what belongs to no connection does not reach clients, who would reset theirs', async () => {
    const resets = async () => {
      const lines = (await network.sh('pod3', 'grep ^Tcp: /proc/net/snmp')).trim().split('\n');
      const [names = [], values = []] = lines.map((line) => line.split(' '));
      return Number(values[names.indexOf('OutRsts')]);
    };
    const before = await resets();
    await network.sh('pod1', `python3 -c '${ANSWER}' 10.42.0.2 10.42.0.4`);
    // From the node itself it does, and the pod answers by a reset.
    await network.sh('node', `python3 -c '${ANSWER}' 10.42.0.1 10.42.0.4`);
    await expect.poll(resets).toBeGreaterThan(before);
    expect(await resets()).toBe(before + 1);
  });

  test('a Service that goes leaves nothing, and the table is the only thing touched', async () => {
    cluster.remove(resources.services, { namespace: 'a', name: 'sticky' });
    await node.settle();
    const rules = await network.sh('node', 'nft list ruleset');
    expect(rules).not.toContain('sticky');
    expect(rules.match(/^table .*/gm)).toEqual(['table inet kube-lite-test {']);
  });

  test('the table comes back when a change finds it deleted', async () => {
    await network.sh('node', 'nft delete table inet kube-lite-test');
    await node.setEndpoints('self', ['10.42.0.3']);
    expect(await network.connect('pod3', 'tcp', '10.43.0.23', 80)).toEqual(['pod2 10.42.0.4']);
  });

  test('the table comes back by itself when somebody flushes everything', async () => {
    await network.sh('node', 'nft flush ruleset');
    await expect.poll(() => network.connect('pod3', 'tcp', '10.43.0.23', 80)).toEqual(['pod2 10.42.0.4']);
  });
});
