import { afterEach, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Service } from '../../api/generated/types.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { FakeReader } from '../authorization/testing/fake-reader.ts';
import { ServiceAddresses } from './service-addresses.ts';
import { ServiceNetworks } from './service-networks.ts';

const stop = new AbortController();
afterEach(() => stop.abort());

const service = (name: string, clusterIP: string) => ({
  metadata: { namespace: 'a', name },
  spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }] },
});

test('each cluster IP has its object, and the configuration has its ServiceCIDR', async () => {
  const reader = new FakeReader();
  const cluster = new FakeCluster();
  const deps = { reader, client: cluster.client, clock: new FakeClock(), logger: silentLogger };
  reader.put(resources.services, service('web', '10.43.0.5'));
  reader.put(resources.services, service('headless', 'None'));
  const left = { name: '10.43.0.9', labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } };
  cluster.add(resources.ipaddresses, { metadata: left, spec: { parentRef: {} } });
  reader.put(resources.ipaddresses, { metadata: left });
  reader.put(resources.ipaddresses, { metadata: { name: '10.43.0.8' } });
  const running = new ServiceNetworks(['10.43.0.0/16'], deps).run(stop.signal, () => {});
  const names = () => cluster.list(resources.ipaddresses).map(({ metadata }) => metadata.name);
  await expect.poll(names).toEqual(['10.43.0.5']);
  expect(cluster.get(resources.ipaddresses, { name: '10.43.0.5' })).toMatchObject({
    metadata: {
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace: 'a', name: 'web' } },
  });
  expect(cluster.get(resources.servicecidrs, { name: 'kubernetes' })).toMatchObject({
    spec: { cidrs: ['10.43.0.0/16'] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  reader.put(resources.ipaddresses, {
    ...cluster.get(resources.ipaddresses, { name: '10.43.0.5' }),
    metadata: { ...left, name: '10.43.0.5' },
  });
  reader.remove(resources.services, { namespace: 'a', name: 'web' });
  await expect.poll(names).toEqual([]);
  stop.abort();
  await running;
});

test('addresses come from all ServiceCIDRs that are ready, and never from under an IPAddress of somebody else', () => {
  const reader = new FakeReader();
  const addresses = new ServiceAddresses(
    { serviceCIDRs: ['10.43.0.0/30'], nodePortRange: [30_000, 30_001] },
    { reader, random: () => 0 },
  );
  addresses.start();
  const create = (clusterIP?: string) => {
    const object = {
      metadata: { namespace: 'a', name: 's' },
      spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
    } as Service;
    if (clusterIP !== undefined) Object.assign(object.spec, { clusterIP, clusterIPs: [clusterIP] });
    addresses.hooks.beginCreate?.(object as never, {} as never);
    return object.spec.clusterIP;
  };
  reader.put(resources.ipaddresses, { metadata: { name: '10.43.0.1' } });
  expect(create()).toBe('10.43.0.2');
  expect(() => create()).toThrow(/range is full/);
  expect(() => create('10.44.0.9')).toThrow(/does not match the current range/);
  const cidr = { metadata: { name: 'more' }, spec: { cidrs: ['10.44.0.0/28'] } };
  reader.put(resources.servicecidrs, cidr);
  expect([create(), create('10.44.0.9')]).toEqual(['10.44.0.1', '10.44.0.9']);
  expect(() => create('10.44.0.9')).toThrow(/already allocated/);
  const terminating = { ...cidr, status: { conditions: [{ type: 'Ready', status: 'False' }] } };
  reader.put(resources.servicecidrs, terminating);
  expect(() => create()).toThrow(/range is full/);
  addresses.stop();
});
