import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { systemClock } from '../../base/clock.ts';
import { Group } from '../../base/lifecycle.ts';
import { silentLogger } from '../../base/logger.ts';
import { createInformers } from '../../client/index.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { isNamePortFree, nameServerAddress, podNames } from './pod-names.ts';

const pod = (name: string, ...ips: string[]): { metadata: object; spec: object; status: object } => ({
  metadata: { namespace: 'default', name },
  spec: { containers: [] },
  status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })) },
});

test('each pod that has addresses is the backend of a headless Service of its name, as long as it runs', async () => {
  const [pods, names] = [new FakeCluster(), new FakeCluster()];
  const deps = { clock: systemClock, logger: silentLogger };
  const informers = createInformers(pods.client, deps);
  const stop = new AbortController();
  const component = podNames({ informers, client: names.client, logger: silentLogger });
  const running = new Group('test', [informers, component], deps).run(stop.signal, () => {});
  const told = (): string[] =>
    names
      .list(resources.endpointslices)
      .map(({ metadata, endpoints }) => `${metadata.name} ${endpoints?.[0]?.addresses}`)
      .sort();
  const until = (expected: string[]): Promise<void> => expect.poll(told).toEqual(expected);

  pods.add(resources.pods, pod('db', '10.0.0.1', 'fd00::1'));
  pods.add(resources.pods, pod('1up', '10.0.0.9'));
  pods.add(resources.pods, pod('web'));
  await until(['db-ipv4 10.0.0.1', 'db-ipv6 fd00::1']);
  expect(names.get(resources.services, { namespace: 'default', name: 'db' })?.spec.clusterIP).toBe('None');
  pods.change(resources.pods, { namespace: 'default', name: 'db' }, (one) => {
    one.status.podIPs = [{ ip: '10.0.0.2' }];
  });
  pods.change(resources.pods, { namespace: 'default', name: 'web' }, (one) => {
    one.status.podIPs = [{ ip: '10.0.0.3' }];
  });
  await until(['db-ipv4 10.0.0.2', 'web-ipv4 10.0.0.3']);
  pods.change(resources.pods, { namespace: 'default', name: 'db' }, (one) => {
    one.status.phase = 'Succeeded';
  });
  pods.remove(resources.pods, { namespace: 'default', name: 'web' });
  await until([]);
  expect(names.list(resources.services)).toEqual([]);
  stop.abort();
  await running;
});

test('name servers have addresses of this machine alone', () => {
  for (const dir of ['/a', '/b', '/var/lib/kube-lite-run'])
    expect(nameServerAddress(dir)).toMatch(/^169\.254\.(?!0\.|255\.|169\.)\d+\.\d+$/);
  expect(nameServerAddress('/a')).not.toBe(nameServerAddress('/b'));
});

test('no names where another name server has the port on all addresses; one on a single address is no hindrance', async () => {
  const udp = createSocket('udp4').bind(0, '0.0.0.0');
  await once(udp, 'listening');
  const { port } = udp.address();
  expect(await isNamePortFree(port)).toBe(false);
  udp.close();
  await once(udp, 'close');
  expect(await isNamePortFree(port)).toBe(true);

  const tcp = createServer().listen(port, '127.0.0.1');
  await once(tcp, 'listening');
  expect(await isNamePortFree(port)).toBe(true);
  tcp.close();
});
