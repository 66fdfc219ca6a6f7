import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Service } from '../../api/generated/types.ts';
import { startControllers } from '../testing.ts';
import { planLoadBalancers } from './load-balancer-plan.ts';
import { newServiceLoadBalancerController } from './service-load-balancer-controller.ts';

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';

interface NodeFixture {
  readonly internal: string;
  readonly external?: string;
  readonly ready?: string;
  readonly labels?: Record<string, string>;
  readonly taint?: string;
}

function node(name: string, { internal, external, ready = 'True', labels = {}, taint }: NodeFixture) {
  return {
    metadata: { name, labels },
    spec: taint === undefined ? {} : { taints: [{ key: taint, effect: 'NoSchedule' }] },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      addresses: [
        { type: 'Hostname', address: name },
        { type: 'InternalIP', address: internal },
        ...(external === undefined ? [] : [{ type: 'ExternalIP', address: external }]),
      ],
    },
  };
}

function service(name: string, port: number, spec: object = {}, metadata: object = {}) {
  return {
    metadata: { namespace: 'n', name, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ports: [{ port, protocol: 'TCP' }], ...spec },
    status: { loadBalancer: {} },
  };
}

const nodes = [
  node('a', { internal: '10.0.0.1' }),
  node('b', { internal: '10.0.0.2', external: '1.2.3.4' }),
  node('c', { internal: '10.0.0.3', ready: 'Unknown' }),
  node('d', { internal: '10.0.0.4', labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } }),
  node('e', { internal: '10.0.0.5', taint: 'ToBeDeletedByClusterAutoscaler' }),
];

const plan = (services: readonly object[], more: object = {}) => {
  const slice = {
    endpoints: [
      { addresses: ['x'], nodeName: 'b', conditions: { ready: true } },
      { addresses: ['y'], nodeName: 'a', conditions: { ready: false } },
    ],
  };
  const planned = planLoadBalancers({
    services: services as Service[],
    nodes: nodes as unknown as Node[],
    slicesOf: () => [slice as never],
    reservedPorts: new Map([[6443, 'the API server']]),
    ...more,
  });
  return Object.fromEntries(
    [...planned].map(([key, { ingress, conflict }]) => [key, conflict ?? ingress.map(({ ip }) => ip).join(' ')]),
  );
};

test.each([
  ['the addresses of the nodes that take traffic', [service('s', 80)], { 'n/s': '10.0.0.1 1.2.3.4' }],
  [
    'Local: of those with ready endpoints',
    [service('s', 80, { externalTrafficPolicy: 'Local' })],
    { 'n/s': '1.2.3.4' },
  ],
  ['an address that was asked for', [service('s', 80, { loadBalancerIP: '10.0.0.1' })], { 'n/s': '10.0.0.1' }],
  [
    'an address that nobody has is ignored',
    [service('s', 80, { loadBalancerIP: '9.9.9.9' })],
    { 'n/s': '10.0.0.1 1.2.3.4' },
  ],
  ['another class', [service('s', 80, { loadBalancerClass: 'x.io/y' })], {}],
  [
    'our class',
    [service('s', 80, { loadBalancerClass: 'kube-lite.io/node-addresses' })],
    { 'n/s': '10.0.0.1 1.2.3.4' },
  ],
  ['other types', [service('s', 80, { type: 'NodePort' })], {}],
  [
    'the older one has the port',
    [service('a', 80, {}, { creationTimestamp: '2026-01-02T00:00:00Z' }), service('b', 80)],
    { 'n/b': '10.0.0.1 1.2.3.4', 'n/a': 'TCP port 80 of 10.0.0.1 belongs to Service n/b' },
  ],
  [
    'another protocol is another port',
    [service('a', 80), service('b', 80, { ports: [{ port: 80, protocol: 'UDP' }] })],
    { 'n/a': '10.0.0.1 1.2.3.4', 'n/b': '10.0.0.1 1.2.3.4' },
  ],
  ['a reserved port', [service('s', 6443)], { 'n/s': 'port 6443 of the nodes belongs to the API server' }],
])('%s', (_, services, expected) => {
  expect(plan(services)).toEqual(expected);
});

test('who holds addresses keeps them; ports of Ingresses are theirs from their time on', () => {
  const holder = {
    ...service('z', 80, {}, { creationTimestamp: '2026-02-01T00:00:00Z' }),
    status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } },
  };
  expect(plan([service('a', 80), holder])).toMatchObject({ 'n/z': '10.0.0.1 1.2.3.4' });
  const ingress = { since: '2026-01-15T00:00:00Z', ports: [80, 443] };
  expect(plan([service('old', 80), holder], { ingress })).toEqual({
    'n/old': '10.0.0.1 1.2.3.4',
    'n/z': 'port 80 of the nodes belongs to the Ingresses',
  });
});

test('a Service gets addresses, follows the nodes, and is let go', async () => {
  const { cluster, clock, events, deps, stop } = startControllers((common) => [
    newServiceLoadBalancerController({ reservedPorts: new Map(), ingressPorts: [80, 443] }, common),
  ]);
  const current = () => cluster.get(resources.services, { namespace: 'n', name: 's' });
  const addresses = () => current()?.status?.loadBalancer?.ingress;
  cluster.add(resources.services, service('s', 8080));
  await clock.advance(10);
  expect(current()?.metadata.finalizers).toEqual([FINALIZER]);
  expect(addresses()).toBeUndefined();
  cluster.add(resources.nodes, node('a', { internal: '10.0.0.1' }));
  await clock.advance(10);
  expect(addresses()).toEqual([{ ip: '10.0.0.1', ipMode: 'VIP' }]);
  cluster.add(resources.nodes, node('b', { internal: '10.0.0.2' }));
  await clock.advance(10);
  expect(addresses()).toHaveLength(2);
  cluster.add(resources.services, service('t', 8080, {}, { creationTimestamp: '2026-03-01T00:00:00Z' }));
  await clock.advance(10);
  const writes = cluster.actions.length;
  await clock.advance(60_000);
  expect(cluster.actions).toHaveLength(writes);
  await deps.client.patch(resources.services, { namespace: 'n', name: 's' }, 'merge', { spec: { type: 'ClusterIP' } });
  await clock.advance(10);
  expect(current()?.metadata.finalizers ?? []).toEqual([]);
  expect(addresses() ?? []).toEqual([]);
  expect(cluster.get(resources.services, { namespace: 'n', name: 't' })?.status?.loadBalancer?.ingress).toHaveLength(2);
  await deps.client.delete(resources.services, { namespace: 'n', name: 't' });
  await clock.advance(10);
  expect(cluster.get(resources.services, { namespace: 'n', name: 't' })).toBeUndefined();
  expect(events('Service')).toEqual([
    'EnsuringLoadBalancer Ensuring load balancer',
    'UnAvailableLoadBalancer There are no available nodes for LoadBalancer',
    'EnsuredLoadBalancer Ensured load balancer',
    'UpdatedLoadBalancer Updated load balancer with new hosts',
    'EnsuringLoadBalancer Ensuring load balancer',
    'SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: TCP port 8080 of 10.0.0.1 belongs to Service n/s',
    'DeletingLoadBalancer Deleting load balancer',
    'DeletedLoadBalancer Deleted load balancer',
    'EnsuredLoadBalancer Ensured load balancer',
    'DeletingLoadBalancer Deleting load balancer',
    'DeletedLoadBalancer Deleted load balancer',
  ]);
  await stop();
});
