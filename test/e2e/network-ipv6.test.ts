import { randomInt } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { buildNodeImage } from '../images/node-image.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { Agent, Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of IPv6 do not run: ${missing}`);

interface PodList {
  items: { metadata: { name: string }; spec: { nodeName: string }; status: { podIP: string; podIPs: object[] } }[];
}

/** Machines 1 and 2 are nodes, which route to each other's pods without a tunnel; machine 3 is a client outside. */
describe.skipIf(missing !== undefined)('a cluster of IPv6 only, without a tunnel', () => {
  let hosts: Hosts;
  let cluster: Cluster;
  let agent: Agent;
  let pods: PodList['items'];
  let httpPort: number;

  beforeAll(async () => {
    hosts = await Hosts.create(3);
    for (const i of [1, 2, 3])
      await hosts.sh(
        i,
        `ip addr flush dev eth0 scope global; ip addr add fd98::${i}/64 dev eth0 nodad; ip -6 route add default via fd98::fe`,
      );
    httpPort = await freePort();
    const image = async (directory: string): Promise<void> =>
      buildNodeImage(directory, 'netserver', [join(import.meta.dirname, 'network/netserver.mjs')]);
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    await image(join(dataDir, 'agent/images'));
    const network = 100 + randomInt(100);
    const flags = ['--network-backend', 'host-gw', '--ingress-http-port', String(httpPort)];
    const networks = { clusterCIDR: `fd42:${network}::/56`, serviceCIDR: `fd43:${network}::/112` };
    cluster = await Cluster.start({ dataDir, netns: hosts.netns(1), nodeName: 'node-1', flags, ...networks });
    const token = (await readFile(join(cluster.dataDir, 'server/token'), 'utf8')).trim();
    const server = `https://[fd98::1]:${cluster.port}`;
    agent = await Agent.start(cluster, { netns: hosts.netns(2), nodeName: 'node-2', token, server, images: image });
    await cluster.apply(OBJECTS);
    await cluster.ok(['rollout', 'status', 'daemonset/net', '--timeout=120s']);
    ({ items: pods } = await cluster.get<PodList>('pods', '-l', 'app=net'));
  });

  afterAll(() =>
    endAll(
      () => agent?.remove(),
      () => cluster?.remove(),
      () => hosts?.remove(),
    ),
  );

  const podOn = (node: number): PodList['items'][0] => {
    const pod = pods.find(({ spec }) => spec.nodeName === `node-${node}`);
    if (pod === undefined) throw new Error(`no pod on node-${node}`);
    return pod;
  };
  const names = (): string[] => pods.map(({ metadata }) => metadata.name).sort();

  async function inPod(node: number, ...words: readonly string[]): Promise<string[]> {
    const args = ['exec', podOn(node).metadata.name, '--', 'node', '/app/netserver.mjs', ...words];
    return (await cluster.ok(args)).trim().split('\n');
  }
  const dial = (node: number, host: string, port: number, protocol = 'http'): Promise<string[]> =>
    inPod(node, 'dial', protocol, host, String(port), '20');
  const serversOf = (answers: readonly string[]): string[] =>
    [...new Set(answers.map((answer) => answer.split(' ')[0] ?? ''))].sort();
  const curl = async (url: string): Promise<string> =>
    (await hosts.run(3, 'curl', ['-s', '-g', '-m', '10', url])).stdout.split(' ')[0] ?? '';

  test('pods reach each other with their own addresses, by HTTP and UDP', async () => {
    expect(pods.map(({ status }) => status.podIPs.length)).toEqual([1, 1]);
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const)
      for (const [protocol, port] of [
        ['http', 8080],
        ['udp', 8081],
      ] as const) {
        const answer = `${podOn(to).metadata.name} ${podOn(from).status.podIP}`;
        await eventually(answer, async () => {
          expect([...new Set(await dial(from, podOn(to).status.podIP, port, protocol))]).toEqual([answer]);
          return true;
        });
      }
  });

  test('Services by name and address, on the nodes, and by an Ingress', async () => {
    interface Service {
      spec: { clusterIP: string; ipFamilies: string[]; ports: { nodePort: number }[] };
    }
    const { spec } = await cluster.get<Service>('service', 'net');
    expect(spec.ipFamilies).toEqual(['IPv6']);
    for (const node of [1, 2]) {
      await eventually('both answer', async () => serversOf(await dial(node, 'net', 80)).join() === names().join());
      expect(serversOf(await dial(node, spec.clusterIP, 80))).toEqual(names());
      expect(serversOf(await dial(node, spec.clusterIP, 81, 'udp'))).toEqual(names());
      expect(await inPod(node, 'lookup', 'net')).toEqual([spec.clusterIP]);
      await eventually('the node port answers', async () =>
        names().includes(await curl(`http://[fd98::${node}]:${spec.ports[0]?.nodePort}/`)),
      );
    }
    const fromNode = ['-s', '-g', '-m', '3', '-o', '/dev/null', '-w', '%{http_code} %{errormsg}'];
    const ask = async (name: string): Promise<string> => {
      const { clusterIP } = (await cluster.get<Service>('service', name)).spec;
      return (await hosts.run(1, 'curl', [...fromNode, `http://[${clusterIP}]/`])).stdout;
    };
    await eventually('the node is answered', async () => (await ask('net')).startsWith('200 '));
    await eventually('the node is refused', async () =>
      /^000 Failed to connect .*(?:refused|Couldn't connect)/.test(await ask('nobody')),
    );
    expect(serversOf(await dial(1, 'own', 80))).toEqual([podOn(1).metadata.name]);
    await eventually('the Ingress answers', async () => names().includes(await curl(`http://[fd98::1]:${httpPort}/`)));
    await eventually('refused', async () => (await dial(2, 'nobody', 80))[0] === 'ECONNREFUSED');
  });

  test('host ports, and what policies keep out', async () => {
    const byHostPort = async (): Promise<boolean> => (await curl('http://[fd98::2]:5432/')) === podOn(2).metadata.name;
    await eventually('the host port answers', byHostPort);
    await cluster.apply(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed }
spec:
  podSelector: { matchLabels: { app: net } }
  ingress: [{ from: [{ ipBlock: { cidr: 'fd98::/64' } }] }]
`);
    await eventually('pods are kept out', async () => {
      const words = ['dial', 'http', podOn(2).status.podIP, '8080', '1', '2000'];
      return (await inPod(1, ...words))[0] === 'TIMEOUT';
    });
    await eventually('who is named is let in', byHostPort);
    await cluster.ok(['delete', 'networkpolicy', 'closed']);
  });
});

const OBJECTS = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: net }
spec:
  selector: { matchLabels: { app: net } }
  template:
    metadata: { labels: { app: net } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: netserver:test
          imagePullPolicy: Never
          ports: [{ containerPort: 8080, hostPort: 5432 }]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: net }
spec:
  type: NodePort
  selector: { app: net }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: udp, port: 81, targetPort: 8081, protocol: UDP }
---
apiVersion: v1
kind: Service
metadata: { name: own }
spec: { internalTrafficPolicy: Local, selector: { app: net }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec: { selector: { app: nobody }, ports: [{ port: 80 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: net }
spec: { ingressClassName: kube-lite, defaultBackend: { service: { name: net, port: { number: 80 } } } }
`;
