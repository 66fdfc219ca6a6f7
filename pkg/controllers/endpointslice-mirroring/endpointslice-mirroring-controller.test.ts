import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newEndpointSliceMirroringController } from './endpointslice-mirroring-controller.ts';

test('Endpoints of a Service without selector are mirrored per address family', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceMirroringController(deps)]);
  const key = { namespace: 'n', name: 's' };
  cluster.add(resources.services, { metadata: key, spec: { ports: [{ name: 'x', port: 80 }] } });
  const ports = [{ name: 'x', port: 9376, protocol: 'TCP' }];
  cluster.add(resources.endpoints, {
    metadata: { ...key, labels: { who: 'me' } },
    subsets: [{ addresses: [{ ip: '10.0.0.1' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports }],
  });
  await clock.advance(10);
  const slices = () =>
    cluster
      .list(resources.endpointslices)
      .map(({ addressType, endpoints }) => [
        addressType,
        endpoints?.map((one) => [one.addresses[0], one.conditions?.ready]),
      ]);
  expect(slices()).toEqual([
    [
      'IPv4',
      [
        ['10.0.0.1', true],
        ['10.0.0.2', false],
      ],
    ],
  ]);
  expect(cluster.list(resources.endpointslices)[0]?.metadata.labels).toEqual({
    who: 'me',
    'kubernetes.io/service-name': 's',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  cluster.change(resources.endpoints, key, (endpoints) => {
    endpoints.subsets = [{ addresses: [{ ip: '10.0.0.1' }, { ip: '2001:db8::1' }], ports }];
  });
  await clock.advance(10);
  expect(slices()).toEqual([
    ['IPv4', [['10.0.0.1', true]]],
    ['IPv6', [['2001:db8::1', true]]],
  ]);
  cluster.remove(resources.endpoints, key);
  await clock.advance(10);
  expect(slices()).toEqual([]);
  await stop();
});

test.each([
  [120, 120, []],
  [
    1003,
    1000,
    [
      'TooManyAddressesToMirror A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped',
    ],
  ],
])('of %i addresses a mirrored slice holds %i', async (count, mirrored, told) => {
  const { cluster, clock, events, stop } = startControllers((deps) => [newEndpointSliceMirroringController(deps)]);
  const key = { namespace: 'n', name: 's' };
  cluster.add(resources.services, { metadata: key, spec: { ports: [{ name: 'x', port: 80 }] } });
  const addresses = Array.from({ length: count }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` }));
  cluster.add(resources.endpoints, { metadata: key, subsets: [{ addresses, ports: [{ name: 'x', port: 80 }] }] });
  await clock.advance(10);
  expect(cluster.list(resources.endpointslices).map(({ endpoints }) => endpoints?.length)).toEqual([mirrored]);
  expect([...new Set(events())]).toEqual(told);
  await stop();
});

test('what a controller wrote for a Service that became ExternalName is not mirrored', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceMirroringController(deps)]);
  const key = { namespace: 'n', name: 's' };
  cluster.add(resources.services, { metadata: key, spec: { type: 'ExternalName', selector: { app: 'a' } } });
  cluster.add(resources.endpoints, {
    metadata: key,
    subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }],
  });
  await clock.advance(10);
  expect(cluster.list(resources.endpointslices)).toEqual([]);
  await stop();
});
