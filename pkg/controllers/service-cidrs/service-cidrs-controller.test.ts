import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { IPAddress, ServiceCIDR } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { isDispensable, newServiceCIDRController } from './service-cidrs-controller.ts';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';

function address(name: string, managed = true): IPAddress {
  const labels = managed ? { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } : {};
  return { metadata: { name, labels } } as IPAddress;
}

const cidr = (name: string, ...cidrs: string[]): ServiceCIDR =>
  ({ metadata: { name }, spec: { cidrs } }) as ServiceCIDR;

test.each<[string, ServiceCIDR[], IPAddress[], boolean]>([
  ['nothing of it in use', [], [address('10.44.0.1')], true],
  ['an address in use', [], [address('10.43.0.1')], false],
  ['an IPv6 address in use', [], [address('fd00::1')], false],
  ['an address of somebody else', [], [address('10.43.0.1', false)], true],
  ['contained in another one', [cidr('all', '10.0.0.0/8')], [address('10.43.0.1')], true],
  ['the address is elsewhere too', [cidr('part', '10.43.0.0/28')], [address('10.43.0.1')], true],
  ['the address is only here', [cidr('part', '10.43.0.0/28')], [address('10.43.0.1'), address('10.43.0.99')], false],
])('%s', (_, others, addresses, expected) => {
  const own = cidr('own', '10.43.0.0/24', 'fd00::/112');
  expect(isDispensable(own, [own, ...others], addresses)).toBe(expected);
});

test('is ready, is held while it is in use, and goes some seconds after', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newServiceCIDRController(deps)]);
  cluster.add(resources.servicecidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.44.0.0/24'] } });
  cluster.add(resources.ipaddresses, { ...address('10.44.0.7') });
  const more = () => cluster.get(resources.servicecidrs, { name: 'more' });
  await clock.advance(10);
  expect(more()?.metadata.finalizers).toEqual([FINALIZER]);
  expect(more()?.status?.conditions).toMatchObject([
    { type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' },
  ]);
  const writes = cluster.actions.length;
  await clock.advance(60_000);
  expect(cluster.actions).toHaveLength(writes);

  await cluster.client.delete(resources.servicecidrs, { name: 'more' });
  await clock.advance(60_000);
  expect(more()?.status?.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'Terminating' }]);
  cluster.remove(resources.ipaddresses, { name: '10.44.0.7' });
  await clock.advance(10);
  expect(more()).toBeUndefined();

  cluster.add(resources.servicecidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.44.0.0/24'] } });
  await clock.advance(10);
  await cluster.client.delete(resources.servicecidrs, { name: 'more' });
  await clock.advance(9000);
  expect(more()).toBeDefined();
  await clock.advance(1100);
  expect(more()).toBeUndefined();
  await stop();
});
