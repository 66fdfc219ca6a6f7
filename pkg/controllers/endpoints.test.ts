import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Node, Pod } from '../api/generated/types.ts';
import { newEndpointsController } from './endpoints/endpoints-controller.ts';
import { newEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { startControllers } from './testing.ts';

function pod(name: string, ip: string, ready: boolean, extra: object = {}) {
  return {
    metadata: { namespace: 'n', name, uid: `uid-of-${name}`, labels: { app: 'a' } },
    spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }], ...extra },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:05Z' }],
    },
  };
}

const service = {
  metadata: { namespace: 'n', name: 's', uid: 'uid-s', labels: { team: 't' } },
  spec: { selector: { app: 'a' }, ports: [{ port: 80, targetPort: 'web', protocol: 'TCP' }], ipFamilies: ['IPv4'] },
};

test('endpoints and slices follow the pods of a service', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [
    newEndpointsController(deps),
    newEndpointSliceController(deps),
  ]);
  const states = () => ({
    slice: cluster
      .list(resources.endpointslices)
      .map((slice) =>
        slice.endpoints?.map(({ targetRef, conditions }) => [targetRef?.name, ...Object.values(conditions ?? {})]),
      ),
    endpoints: cluster
      .list(resources.endpoints)
      .map(({ subsets }) =>
        subsets?.map(({ addresses, notReadyAddresses }) => [
          addresses?.map(({ ip }) => ip),
          notReadyAddresses?.map(({ ip }) => ip),
        ]),
      ),
  });
  cluster.add(resources.nodes, {
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } },
  });
  cluster.add(resources.services, service);
  await clock.advance(10);
  expect(states()).toEqual({ slice: [[]], endpoints: [[]] });
  cluster.add(resources.pods, pod('q', '10.0.0.2', true));
  await clock.advance(10);
  expect(cluster.list(resources.endpointslices)).toMatchObject([
    {
      metadata: {
        generateName: 's-',
        labels: {
          team: 't',
          'kubernetes.io/service-name': 's',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:05Z' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 's', controller: true }],
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.2'],
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', namespace: 'n', name: 'q' },
          nodeName: 'n1',
          zone: 'z1',
        },
      ],
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    },
  ]);
  expect(cluster.list(resources.endpoints)[0]?.subsets?.[0]?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
  cluster.add(resources.pods, pod('p', '10.0.0.1', false));
  await clock.advance(10);
  expect(states()).toEqual({
    slice: [
      [
        ['q', true, true, false],
        ['p', false, false, false],
      ],
    ],
    endpoints: [[[['10.0.0.2'], ['10.0.0.1']]]],
  });
  await cluster.client.delete(resources.pods, { namespace: 'n', name: 'q' });
  await clock.advance(10);
  expect(states()).toEqual({
    slice: [
      [
        ['q', false, true, true],
        ['p', false, false, false],
      ],
    ],
    endpoints: [[[undefined, ['10.0.0.1']]]],
  });
  cluster.change<Pod>(resources.pods, { namespace: 'n', name: 'p' }, (object) => {
    object.status.phase = 'Failed';
  });
  cluster.remove(resources.pods, { namespace: 'n', name: 'q' });
  await clock.advance(10);
  expect(states()).toEqual({ slice: [[]], endpoints: [[]] });
  const writes = cluster.actions.length;
  await clock.advance(60_000);
  expect(cluster.actions).toHaveLength(writes);
  cluster.remove(resources.services, service.metadata);
  await clock.advance(10);
  expect(cluster.list(resources.endpoints)).toHaveLength(0);
  await stop();
});

test.each([
  [undefined, undefined],
  ['PreferClose', { forZones: [{ name: 'z1' }] }],
  ['PreferSameZone', { forZones: [{ name: 'z1' }] }],
  ['PreferSameNode', { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] }],
])('hints of ready endpoints for trafficDistribution %s', async (trafficDistribution, hints) => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceController(deps)]);
  cluster.add(resources.nodes, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
  cluster.add(resources.services, { ...service, spec: { ...service.spec, trafficDistribution } });
  cluster.add(resources.pods, pod('q', '10.0.0.2', true));
  cluster.add(resources.pods, pod('r', '10.0.0.3', false));
  await clock.advance(10);
  const [slice] = cluster.list(resources.endpointslices);
  expect(slice?.endpoints?.map((endpoint) => endpoint.hints)).toEqual([hints, undefined]);
  await stop();
});

test('topology-mode Auto: hints by the share of each zone, as nodes change, and what is said of it', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceController(deps)]);
  const conditions = [{ type: 'Ready', status: 'True' as const }];
  for (const zone of ['z1', 'z2'])
    cluster.add(resources.nodes, {
      metadata: { name: `of-${zone}`, labels: { 'topology.kubernetes.io/zone': zone } },
      status: { allocatable: { cpu: '2' }, conditions },
    });
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
  cluster.add(resources.services, { ...service, metadata: { ...service.metadata, annotations } });
  for (const [index, node] of ['of-z1', 'of-z1', 'of-z2', 'of-z2'].entries()) {
    const one = pod(`p${index}`, `10.0.0.${index + 1}`, true);
    cluster.add(resources.pods, { ...one, spec: { ...one.spec, nodeName: node } });
  }
  await clock.advance(1000);
  const hints = () =>
    cluster
      .list(resources.endpointslices)
      .flatMap(({ endpoints }) => (endpoints ?? []).map((endpoint) => endpoint.hints?.forZones?.[0]?.name));
  expect(hints()).toEqual(['z1', 'z1', 'z2', 'z2']);
  cluster.change<Node>(resources.nodes, { namespace: '', name: 'of-z2' }, (node) => {
    node.status.conditions = [];
  });
  await clock.advance(1000);
  expect(hints()).toEqual([undefined, undefined, undefined, undefined]);
  const said = cluster.list(resources.events).map(({ reason, message }) => `${reason}: ${message}`);
  expect(said).toEqual([
    'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4',
    expect.stringMatching(/^TopologyAwareHintsDisabled: Insufficient Node information: .*, addressType: IPv4$/),
  ]);
  await stop();
});

test('more than 100 endpoints take several slices; freed room is used', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceController(deps)]);
  cluster.add(resources.services, service);
  for (let i = 0; i < 230; i++) cluster.add(resources.pods, pod(`p${i}`, `10.0.${i >> 7}.${i & 127}`, true));
  await clock.advance(50);
  const sizes = () =>
    cluster
      .list(resources.endpointslices)
      .map((slice) => slice.endpoints?.length)
      .toSorted();
  expect(sizes()).toEqual([100, 100, 30]);
  for (let i = 0; i < 10; i++) cluster.remove(resources.pods, { namespace: 'n', name: `p${i}` });
  cluster.add(resources.pods, pod('new', '10.1.0.1', true));
  await clock.advance(50);
  expect(sizes().reduce((sum: number, size) => sum + (size ?? 0), 0)).toBe(221);
  expect(sizes()).toHaveLength(3);
  await stop();
});

test.each<[string, object | undefined]>([
  ['PreferClose', { forZones: [{ name: 'z1' }] }],
  ['PreferSameZone', { forZones: [{ name: 'z1' }] }],
  ['PreferSameNode', { forNodes: [{ name: 'n1' }], forZones: [{ name: 'z1' }] }],
  ['', undefined],
])('traffic distribution %j', async (trafficDistribution, hints) => {
  const { cluster, clock, stop } = startControllers((deps) => [newEndpointSliceController(deps)]);
  cluster.add(resources.nodes, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
  cluster.add(resources.pods, pod('a', '10.0.0.1', true));
  cluster.add(resources.pods, pod('b', '10.0.0.2', false));
  cluster.add(resources.services, { ...service, spec: { ...service.spec, trafficDistribution } });
  await clock.advance(1000);
  const found = cluster.list(resources.endpointslices).flatMap(({ endpoints }) => endpoints ?? []);
  expect(found.map((endpoint) => [endpoint.targetRef?.name, endpoint.hints])).toEqual([
    ['a', hints],
    ['b', undefined],
  ]);
  await stop();
});
