import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createInformers } from '../../client/informers.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { CIDRBlocks } from './cidr-blocks.ts';
import { newNodeIPAMController } from './node-ipam-controller.ts';

function start(clusterCIDRs: readonly string[], nodes: Record<string, readonly string[]>, nodeMaskSizeIPv4 = 24) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const add = (name: string, podCIDRs: readonly string[] = []) =>
    cluster.add(resources.nodes, {
      metadata: { name },
      spec: { podCIDR: podCIDRs[0], podCIDRs },
      status: { nodeInfo: { kubeletVersion: 'v1.36.0' } },
    });
  for (const [name, podCIDRs] of Object.entries(nodes)) add(name, podCIDRs);
  const logger = silentLogger;
  const informers = createInformers(cluster.client, { clock, logger });
  const deps = { client: cluster.client, informers, clock, logger, random: () => 0 };
  const controller = new AbortController();
  const parts = [newNodeIPAMController({ clusterCIDRs, nodeMaskSizeIPv4 }, deps), informers];
  const done = Promise.all(parts.map((part) => part.run(controller.signal, () => {})));
  const stop = () => {
    controller.abort();
    return done;
  };
  const podCIDRs = (name: string) => cluster.get(resources.nodes, { name })?.spec.podCIDRs;
  return { clock, cluster, add, podCIDRs, stop };
}

test('nodes get blocks that no other node has, of each family', async () => {
  const { clock, add, podCIDRs, stop } = start(['10.42.0.0/16', 'fd00:42::/56'], {
    new: [],
    old: ['10.42.0.0/24', 'fd00:42::/64'],
  });
  await clock.advance(10);
  expect(podCIDRs('new')).toEqual(['10.42.1.0/24', 'fd00:42:0:1::/64']);
  add('third');
  await clock.advance(10);
  expect(podCIDRs('third')).toEqual(['10.42.2.0/24', 'fd00:42:0:2::/64']);
  await stop();
});

test('a node that no kubelet has reported waits', async () => {
  const { clock, cluster, podCIDRs, stop } = start(['10.42.0.0/16'], {});
  cluster.add(resources.nodes, { metadata: { name: 'bare' }, spec: {} });
  await clock.advance(10);
  expect(podCIDRs('bare')).toBeUndefined();
  await cluster.client.patch(
    resources.nodes,
    { name: 'bare' },
    'merge',
    { status: { nodeInfo: { kubeletVersion: 'v1.36.0' } } },
    { subresource: 'status' },
  );
  await clock.advance(10);
  expect(podCIDRs('bare')).toEqual(['10.42.0.0/24']);
  await stop();
});

test('a full network is reported, and a deleted node gives its block back', async () => {
  const { clock, cluster, add, podCIDRs, stop } = start(['10.42.0.0/23'], { a: ['10.42.0.0/24'], b: [] });
  await clock.advance(10);
  expect(podCIDRs('b')).toEqual(['10.42.1.0/24']);
  add('c');
  await clock.advance(10);
  expect(podCIDRs('c')).toEqual([]);
  expect(cluster.list(resources.events).map((event) => event.reason)).toEqual(['CIDRNotAvailable']);
  cluster.remove(resources.nodes, { name: 'a' });
  await clock.advance(31_000);
  expect(podCIDRs('c')).toEqual(['10.42.0.0/24']);
  await stop();
});

test.each([
  ['10.42.0.0/16', 24, '10.42.3.0/24', [3, 3]],
  ['10.42.0.0/16', 24, '10.42.4.0/22', [4, 7]],
  ['10.42.0.0/16', 24, '10.42.9.128/25', [9, 9]],
  ['10.42.0.0/16', 24, '10.0.0.0/8', [0, 255]],
  ['10.42.0.0/16', 24, '10.43.0.0/24', undefined],
  ['10.42.0.0/16', 24, 'fd00::/64', undefined],
  ['fd00::/48', 64, 'fd00:0:0:ff::/64', [255, 255]],
])('blocks of %s by /%d: %s is %j', (network, prefix, cidr, range) => {
  expect(new CIDRBlocks(network, prefix).range(cidr)).toEqual(range);
});

test('networks that cannot be cut up are refused', () => {
  expect(() => new CIDRBlocks('10.42.0.0/25', 24)).toThrow('blocks of /24 do not fit');
  expect(() => new CIDRBlocks('10.42.0.0', 24)).toThrow('not a network');
});
