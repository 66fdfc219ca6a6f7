import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Namespace, NetworkPolicy, NetworkPolicySpec, Pod } from '../api/generated/types.ts';
import { ProxiedNode } from './testing/proxied-node.ts';

const root = process.getuid?.() === 0;
if (!root) console.warn('SKIPPED pkg/proxy/policy-netns.test.ts: network namespaces need root');

const ADDRESSES = { web: '10.42.0.2', friend: '10.42.0.3', stranger: '10.42.0.4' } as const;

describe.skipIf(!root)('network policies in a real network', () => {
  const node = new ProxiedNode();
  const { network, cluster } = node;

  function podObject(name: string, ip: string | undefined) {
    return {
      metadata: { name, namespace: 'a', uid: name, labels: { app: name } },
      spec: {
        nodeName: 'node',
        containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }],
      },
      status: ip === undefined ? {} : { podIPs: [{ ip }] },
    };
  }

  /** One policy at a time, for `web` when nothing else is said. */
  async function policy(spec: Partial<NetworkPolicySpec>) {
    const key = { namespace: 'a', name: 'p' };
    const full = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], ...spec };
    if (cluster.get(resources.networkpolicies, key) !== undefined) cluster.remove(resources.networkpolicies, key);
    cluster.add<NetworkPolicy>(resources.networkpolicies, { metadata: key, spec: full });
    await node.settle();
  }

  const answer = async (from: string, to = '10.42.0.2', port = 8080, protocol: 'tcp' | 'udp' = 'tcp') =>
    (await network.connect(from, protocol, to, port))[0]?.split(' ')[0];
  const isIgnored = (from: string, to = '10.42.0.2', port = 8080, protocol: 'tcp' | 'udp' = 'tcp') =>
    network.isIgnored(from, protocol, to, port);

  beforeAll(async () => {
    await network.open();
    cluster.add<Namespace>(resources.namespaces, { metadata: { name: 'a', labels: { team: 'a' } } });
    for (const [name, ip] of Object.entries(ADDRESSES)) {
      await network.addPod(name, ip);
      await network.serve(name, 8080);
      cluster.add<Pod>(resources.pods, podObject(name, ip));
    }
    await network.serve('web', 9090);
    await network.sh('outside', 'ip route add 10.42.0.0/16 via 192.168.77.1');
    node.addService('web', '10.43.0.20', { endpoints: ['10.42.0.2'] });
    await node.start();
  });

  afterAll(() => node.close());

  test('nothing is let in but what the node itself sends, and the pod to itself', async () => {
    expect(await answer('stranger')).toBe('web');
    await policy({ ingress: [] });
    expect(await isIgnored('stranger')).toBe(true);
    expect(await isIgnored('stranger', '10.43.0.20', 80)).toBe(true);
    expect(await isIgnored('outside')).toBe(true);
    expect(await isIgnored('stranger', '10.42.0.2', 8080, 'udp')).toBe(true);
    expect(await answer('node')).toBe('web');
    expect(await answer('node', '10.43.0.20', 80)).toBe('web');
    expect(await answer('web', '10.43.0.20', 80)).toBe('web');
    expect(await answer('web', ADDRESSES.stranger)).toBe('stranger');
  });

  test('pods by label, on a port by its name, also by way of a Service', async () => {
    await policy({
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 'http' }] }],
    });
    expect(await answer('friend')).toBe('web');
    expect(await answer('friend', '10.43.0.20', 80)).toBe('web');
    expect(await isIgnored('friend', '10.42.0.2', 9090)).toBe(true);
    expect(await isIgnored('stranger')).toBe(true);
    cluster.change<Pod>(resources.pods, { namespace: 'a', name: 'stranger' }, (pod) => {
      pod.metadata.labels = { app: 'friend' };
    });
    await node.settle();
    expect(await answer('stranger')).toBe('web');
    cluster.change<Pod>(resources.pods, { namespace: 'a', name: 'stranger' }, (pod) => {
      pod.metadata.labels = { app: 'stranger' };
    });
    await node.settle();
    expect(await isIgnored('stranger')).toBe(true);
  });

  test('namespaces by label, as it changes', async () => {
    await policy({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }] });
    expect(await answer('stranger')).toBe('web');
    cluster.change<Namespace>(resources.namespaces, { namespace: '', name: 'a' }, (namespace) => {
      namespace.metadata.labels = {};
    });
    await node.settle();
    expect(await isIgnored('stranger')).toBe(true);
  });

  test('blocks with exceptions, and ranges of ports', async () => {
    const from = [{ ipBlock: { cidr: '10.42.0.0/16', except: [`${ADDRESSES.stranger}/32`] } }];
    await policy({ ingress: [{ from, ports: [{ port: 8000, endPort: 8100 }] }] });
    expect(await answer('friend')).toBe('web');
    expect(await isIgnored('friend', '10.42.0.2', 9090)).toBe(true);
    expect(await isIgnored('stranger')).toBe(true);
    expect(await isIgnored('outside')).toBe(true);
    await policy({ ingress: [{ from: [{ ipBlock: { cidr: '192.168.77.0/24' } }] }] });
    expect(await answer('outside')).toBe('web');
  });

  test('egress: only where it may go, and always to its node', async () => {
    await network.serve('node', 7070);
    const to = [{ podSelector: { matchLabels: { app: 'friend' } } }];
    await policy({ policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 8080 }] }] });
    expect(await answer('web', ADDRESSES.friend)).toBe('friend');
    expect(await isIgnored('web', ADDRESSES.friend, 8080, 'udp')).toBe(true);
    expect(await isIgnored('web', ADDRESSES.stranger)).toBe(true);
    expect(await answer('web', '192.168.77.1', 7070)).toBe('node');
    expect(await answer('stranger')).toBe('web');
  });

  test('a pod is closed before its first container starts, and policies that go leave nothing', async () => {
    await policy({ podSelector: {}, ingress: [] });
    await network.addPod('late', '10.42.0.5');
    await network.serve('late', 8080);
    const late = podObject('late', undefined);
    cluster.add<Pod>(resources.pods, late);
    await node.settle();
    expect(await answer('friend', '10.42.0.5')).toBe('late');
    await node.proxy.admit(late as unknown as Pod, ['10.42.0.5'], node.signal);
    expect(await isIgnored('friend', '10.42.0.5')).toBe(true);
    cluster.remove(resources.networkpolicies, { namespace: 'a', name: 'p' });
    await node.settle();
    expect(await answer('friend', '10.42.0.5')).toBe('late');
    expect(await network.sh('node', 'nft list ruleset')).not.toMatch(/-policy-a|-pod-a|peers4/);
  });
});
