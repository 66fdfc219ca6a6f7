import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StandInNodes } from '../behaviour/stand-in-node.ts';
import { connect } from '../behaviour/target.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const replicaSet = (name: string, replicas: number, amount: number): string => `
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: ${name}}
value: ${Number(name.slice(1)) * 100}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 0
      priorityClassName: ${name}
      containers:
      - {name: c, image: "pause:1", resources: {limits: {example.com/fakecpu: "${amount}"}}}
`;
const hostPortPod = (name: string, hostIP: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  nodeSelector: {kubernetes.io/hostname: node1}
  containers:
  - {name: c, image: "pause:1", ports: [{containerPort: 80, hostPort: 54321, hostIP: ${hostIP}, protocol: TCP}]}
`;
const limitRange = (name: string, labels: string): string => `
---
apiVersion: v1
kind: LimitRange
metadata: {name: ${name}, labels: ${labels}}
spec:
  limits:
  - type: Container
    min: {cpu: 50m}
    max: {cpu: 500m}
    default: {cpu: 300m}
    defaultRequest: {cpu: 100m}
`;
const limitedPod = (name: string, cpu?: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: limited}
spec:
  containers: [{name: c, image: "pause:1"${cpu === undefined ? '' : `, resources: {limits: {cpu: ${cpu}}}`}}]
`;

describe.skipIf(missing !== undefined)('what scheduling is governed by', () => {
  let cluster: Cluster;
  let target: Awaited<ReturnType<typeof connect>>;
  let nodes: StandInNodes;
  const value = (path: string, ...args: string[]): Promise<string> =>
    cluster.ok(['get', ...args, '-o', `jsonpath={${path}}`]);

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    target = await connect(cluster.kubeconfig, ['node1']);
    nodes = await StandInNodes.register(target.client, { node1: { allocatable: { 'example.com/fakecpu': '1000' } } });
    await eventually('taint gone', async () => (await value('.spec.taints', 'node', 'node1')) === '');
  });
  afterAll(() =>
    endAll(
      () => nodes?.close(),
      () => target?.close(),
      () => cluster?.remove(),
    ),
  );

  test('replica sets of several priorities share a resource: the least important give way', async () => {
    await cluster.apply(replicaSet('p1', 5, 40) + replicaSet('p2', 4, 50) + replicaSet('p3', 4, 95));
    const ready = (name: string): Promise<string> => value('.status.readyReplicas', 'rs', name);
    await eventually('p1 to p3', async () => (await Promise.all(['p1', 'p2', 'p3'].map(ready))).join() === '5,4,4');
    await cluster.apply(replicaSet('p4', 1, 500));
    await eventually('p4', async () => (await ready('p4')) === '1');
    // 500 of 1000 are p4's, 380 p3's: what is left holds some of p2 before any of p1.
    await eventually('p3 stays', async () => (await Promise.all(['p2', 'p3'].map(ready))).join() === '2,4');
    await eventually('none of p1', async () => (await ready('p1')) === '');
  });

  test('the same host port on another address, and on all of them', async () => {
    await cluster.apply(hostPortPod('one-address', '127.0.0.1'));
    await eventually('placed', async () => (await value('.spec.nodeName', 'pod', 'one-address')) === 'node1');
    await cluster.apply(hostPortPod('all-addresses', '0.0.0.0'));
    const message = (name: string): Promise<string> => value('.status.conditions[0].message', 'pod', name);
    await eventually('refused', async () => (await message('all-addresses')).includes("didn't have free ports"));
    await cluster.apply(hostPortPod('another-address', '127.0.0.2'));
    await eventually('placed', async () => (await value('.spec.nodeName', 'pod', 'another-address')) === 'node1');
  });

  test('priority classes: what may change and what may not', async () => {
    await cluster.apply(
      'apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: fixed}\nvalue: 7\ndescription: old\n',
    );
    await cluster.ok(['patch', 'priorityclass', 'fixed', '-p', '{"description":"new"}']);
    expect(await value('.description', 'priorityclass', 'fixed')).toBe('new');
    const refused = await cluster.kubectl(['patch', 'priorityclass', 'fixed', '-p', '{"value":8}']);
    expect(refused.stderr).toContain('value: Forbidden: may not be changed in an update.');
    expect(await cluster.ok(['get', 'priorityclasses'])).toMatch(/system-node-critical +2000001000/);
  });

  test('limit ranges: defaults, bounds, changes, and deletion of some of them', async () => {
    await cluster.ok(['create', 'namespace', 'limited']);
    await cluster.ok(
      ['apply', '-n', 'limited', '-f', '-'],
      limitRange('one', '{group: a}') + limitRange('two', '{group: b}'),
    );
    await eventually('account', () => cluster.ok(['get', 'serviceaccount', 'default', '-n', 'limited']));
    await cluster.apply(limitedPod('defaults'));
    expect(await value('.spec.containers[0].resources', 'pod', 'defaults', '-n', 'limited')).toBe(
      '{"limits":{"cpu":"300m"},"requests":{"cpu":"100m"}}',
    );
    const tooMuch = await cluster.kubectl(['apply', '-f', '-'], limitedPod('too-much', '600m'));
    expect(tooMuch.stderr).toContain('maximum cpu usage per Container is 500m, but limit is 600m');
    const patch = '[{"op":"replace","path":"/spec/limits/0/max/cpu","value":"1"}]';
    for (const name of ['one', 'two']) {
      await cluster.ok(['patch', 'limitrange', name, '-n', 'limited', '--type', 'json', '-p', patch]);
    }
    await eventually(
      'the new bound',
      async () => (await cluster.kubectl(['apply', '-f', '-'], limitedPod('too-much', '600m'))).code === 0,
    );
    expect(await cluster.ok(['get', 'limitranges', '-A', '-l', 'group=b', '-o', 'name'])).toBe('limitrange/two\n');
    await cluster.ok(['delete', 'limitranges', '-n', 'limited', '-l', 'group=a']);
    expect(await cluster.ok(['get', 'limitranges', '-n', 'limited', '-o', 'name'])).toBe('limitrange/two\n');
  });
});
