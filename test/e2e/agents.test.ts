import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { Agent, Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of agents do not run: ${missing}`);

describe.skipIf(missing !== undefined)('a server and two agents on machines of their own', () => {
  let hosts: Hosts;
  let cluster: Cluster;
  let token: string;
  let server: string;
  const agents: Agent[] = [];

  beforeAll(async () => {
    hosts = await Hosts.create(4);
    cluster = await Cluster.start({ netns: hosts.netns(1), nodeName: 'node-1' });
    token = (await readFile(join(cluster.dataDir, 'server/token'), 'utf8')).trim();
    server = `https://${hosts.address(1)}:${cluster.port}`;
    for (const i of [2, 3]) {
      agents.push(await Agent.start(cluster, { netns: hosts.netns(i), nodeName: `node-${i}`, token, server }));
    }
  });

  afterAll(() =>
    endAll(
      ...agents.map((agent) => () => agent.remove()),
      () => cluster?.remove(),
      () => hosts?.remove(),
    ),
  );

  test('every node has its own pods, which reach each other, Services and names', async () => {
    await cluster.apply(`
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: web, image: k8s-demo:0.0.1-SNAPSHOT, imagePullPolicy: Never }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }]
`);
    await cluster.ok(['rollout', 'status', 'daemonset/web', '--timeout=120s']);
    const { items } = await cluster.get<{ items: { metadata: { name: string }; status: { podIP: string } }[] }>('pods');
    expect(items).toHaveLength(3);
    for (const { metadata } of items) {
      for (const { status } of items) {
        const url = `http://${status.podIP}:8080/index.html`;
        const byAddress = ['exec', metadata.name, '--', 'wget', '-q', '-O-', url];
        await eventually(url, async () => (await cluster.kubectl(byAddress)).stdout.includes('0.0.1'));
      }
      const byName = ['exec', metadata.name, '--', 'wget', '-q', '-O-', 'http://web/index.html'];
      await eventually('the Service by its name', async () => (await cluster.kubectl(byName)).stdout.includes('0.0.1'));
    }
    for (const host of [1, 2, 3]) {
      const url = `http://${hosts.address(host)}:30080/index.html`;
      await eventually(url, async () => (await hosts.run(4, 'curl', ['-s', '-m', '3', url])).stdout.includes('0.0.1'));
    }
  });

  test('kubectl reaches containers of every node', async () => {
    const { items } = await cluster.get<{ items: { metadata: { name: string } }[] }>('pods');
    for (const { metadata } of items) {
      expect(await cluster.ok(['exec', metadata.name, '--', 'hostname'])).toBe(`${metadata.name}\n`);
      expect((await cluster.kubectl(['logs', metadata.name])).code).toBe(0);
    }
  });

  test('Ingresses are served by every node', async () => {
    await cluster.apply(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  ingressClassName: kube-lite
  rules:
    - host: web.test
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
`);
    for (const host of [1, 2, 3]) {
      const args = ['-s', '-m', '3', '-H', 'Host: web.test', `http://${hosts.address(host)}/index.html`];
      await eventually(`the ingress on node-${host}`, async () =>
        (await hosts.run(4, 'curl', args)).stdout.includes('0.0.1'),
      );
    }
  });

  /** The pods of a node, and since when their containers run. */
  const podsOf = (node: number): Promise<string> => {
    const since = '.status.containerStatuses[*].state.running.startedAt';
    const path = `jsonpath={range .items[*]}{.metadata.uid} {${since}}{"\\n"}{end}`;
    return cluster.ok(['get', 'pods', `--field-selector=spec.nodeName=node-${node}`, '-o', path]);
  };
  const stateOf = (node: number): Promise<string> => cluster.ok(['get', 'node', `node-${node}`, '--no-headers']);

  describe('what is cut off or made anew comes back by itself', () => {
    test.concurrent('a machine that is cut off until it is not ready keeps its pods', async () => {
      const before = await podsOf(3);
      await hosts.link(3, 'down');
      await eventually('node-3 not ready', async () => /NotReady/.test(await stateOf(3)));
      await hosts.link(3, 'up');
      await eventually('node-3 ready', async () => / Ready /.test(await stateOf(3)));
      await eventually('its pods are ready', async () => {
        const ready = '.status.conditions[?(@.type=="Ready")].status';
        const path = `jsonpath={range .items[*]}{${ready}}{end}`;
        return (await cluster.ok(['get', 'pods', '--field-selector=spec.nodeName=node-3', '-o', path])) === 'True';
      });
      expect(await podsOf(3)).toBe(before);
    });

    test.concurrent('a machine with another address, and then one that is installed anew, has its name again', async () => {
      const [first] = agents;
      const before = await podsOf(2);
      await first?.signal('SIGTERM');
      await hosts.readdress(2, 102);
      first?.launch();
      const address = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
      await eventually(
        'node-2 has the new address',
        async () => (await cluster.ok(['get', 'node', 'node-2', '-o', address])) === hosts.address(2),
      );
      await first?.ready(cluster);
      expect(await podsOf(2)).toBe(before);
      await first?.remove();
      agents[0] = await Agent.start(cluster, { netns: hosts.netns(2), nodeName: 'node-2', token, server });
      const pod = ['get', 'pods', '--field-selector=spec.nodeName=node-2,status.phase=Running', '-o', 'name'];
      const name = await eventually('it has a pod again', async () => (await cluster.ok(pod)).trim().split('\n')[0]);
      const url = 'http://web/index.html';
      await eventually('which reaches all', async () =>
        (await cluster.kubectl(['exec', name, '--', 'wget', '-q', '-O-', url])).stdout.includes('0.0.1'),
      );
    });
  });

  test('pods of an agent run on while it is restarted, and while the server is', async () => {
    const started = async () =>
      cluster.ok(['get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].state.running.startedAt}']);
    const before = await started();
    await agents[0]?.signal('SIGTERM');
    await cluster.signal('SIGTERM');
    agents[0]?.launch();
    cluster.launch();
    await cluster.nodeReady();
    await agents[0]?.ready(cluster);
    expect(await started()).toBe(before);
  });

  test.each([
    ['a wrong secret', (right: string) => `${right}x`, /does not accept it/],
    [
      'the token of another server',
      (right: string) => right.replace(/^K10[0-9a-f]{8}/, 'K1000000000'),
      /not the server that the token is for/,
    ],
    ['a bootstrap token without the hash of the server', () => 'abcdef.0123456789abcdef', /--ca-hash/],
  ])('%s is refused in a line', async (_, change, expected) => {
    const agent = await Agent.launched({ netns: hosts.netns(4), nodeName: 'node-4', token: change(token), server });
    expect(await agent.ended()).toBe(1);
    expect(await agent.log()).toMatch(expected);
    await agent.remove();
  });

  describe('side by side', () => {
    test.concurrent('a cut of ten seconds is not noticed by pods', async () => {
      const before = await podsOf(3);
      await hosts.link(3, 'down');
      await systemClock.sleep(10_000);
      await hosts.link(3, 'up');
      const { items } = await cluster.get<{ items: { metadata: { name: string } }[] }>(
        'pods',
        '--field-selector=spec.nodeName=node-3',
      );
      await eventually('kubectl reaches them', async () => {
        const args = ['exec', items[0]?.metadata.name ?? '', '--', 'hostname'];
        return (await cluster.kubectl(args)).stdout === `${items[0]?.metadata.name}\n`;
      });
      expect(await stateOf(3)).toMatch(/ Ready /);
      expect(await podsOf(3)).toBe(before);
    });

    test.concurrent('a name that another machine has is refused', async () => {
      const agent = await Agent.launched({ netns: hosts.netns(4), nodeName: 'node-2', token, server });
      expect(await agent.ended()).toBe(1);
      expect(await agent.log()).toMatch(/choose another --node-name/);
      await agent.remove();
    });
  });
});
