import { randomInt } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildNodeImage } from '../images/node-image.ts';
import { Cluster, type CommandResult, eventually, executable, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { Agent, Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of the network between nodes do not run: ${missing}`);

interface Pods {
  items: {
    spec: { nodeName: string };
    metadata: { name: string };
    status: { podIP: string; podIPs: { ip: string }[] };
  }[];
}

describe.skipIf(missing !== undefined)('the network between two nodes, IPv4 and IPv6', () => {
  let hosts: Hosts;
  let cluster: Cluster;
  let agent: Agent;
  let pods: Pods['items'];

  beforeAll(async () => {
    hosts = await Hosts.create(3);
    for (const i of [1, 2, 3])
      await hosts.sh(i, `ip addr add fd98::${i}/64 dev eth0 nodad; ip -6 route add default via fd98::fe`);
    const image = async (directory: string): Promise<void> =>
      buildNodeImage(directory, 'netserver', [join(import.meta.dirname, 'network/netserver.mjs')]);
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    await image(join(dataDir, 'agent/images'));
    const network = randomInt(100);
    // Beside the IPv4 networks that every cluster under test has.
    const flags = ['--cluster-cidr', `fd42:${network}::/56`, '--service-cidr', `fd43:${network}::/112`];
    cluster = await Cluster.start({ dataDir, netns: hosts.netns(1), nodeName: 'node-1', flags });
    const token = (await readFile(join(cluster.dataDir, 'server/token'), 'utf8')).trim();
    const server = `https://${hosts.address(1)}:${cluster.port}`;
    agent = await Agent.start(cluster, { netns: hosts.netns(2), nodeName: 'node-2', token, server, images: image });
    await cluster.apply(PODS);
    await cluster.ok(['rollout', 'status', 'daemonset/net', '--timeout=120s']);
    ({ items: pods } = await cluster.get<Pods>('pods', '-l', 'app=net'));
  });

  afterAll(() =>
    endAll(
      () => agent?.remove(),
      () => cluster?.remove(),
      () => hosts?.remove(),
    ),
  );

  const podOn = (node: number): Pods['items'][0] => {
    const pod = pods.find(({ spec }) => spec.nodeName === `node-${node}`);
    if (pod === undefined) throw new Error(`no pod on node-${node}`);
    return pod;
  };

  async function dial(from: number, host: string, port: number, count = 1): Promise<string[]> {
    const args = ['exec', podOn(from).metadata.name, '--', 'node', '/app/netserver.mjs', 'dial', 'http'];
    return (await cluster.ok([...args, host, String(port), String(count)])).trim().split('\n');
  }

  const doctor = (): Promise<CommandResult> =>
    hosts.run(1, executable, ['doctor', 'network', '--kubeconfig', cluster.kubeconfig], 120_000);

  test('pods reach each other and Services in both families, with their own addresses', async () => {
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const) {
      for (const [index, { ip }] of podOn(to).status.podIPs.entries()) {
        const own = podOn(from).status.podIPs[index]?.ip;
        await eventually(ip, async () => {
          expect(await dial(from, ip, 8080)).toEqual([`${podOn(to).metadata.name} ${own}`]);
          return true;
        });
      }
    }
    await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: net }
spec:
  type: NodePort
  ipFamilyPolicy: RequireDualStack
  selector: { app: net }
  ports: [{ port: 80, targetPort: 8080 }]
`);
    interface Service {
      spec: { clusterIPs: string[]; ports: { nodePort: number }[] };
    }
    const { spec } = await cluster.get<Service>('service', 'net');
    const names = pods.map(({ metadata }) => metadata.name).sort();
    for (const ip of spec.clusterIPs) {
      await eventually(`both answer at ${ip}`, async () => {
        const answers = (await dial(2, ip, 80, 20)).map((answer) => answer.split(' ')[0]);
        return [...new Set(answers)].sort().join() === names.join();
      });
    }
    for (const host of ['198.18.0.2', '[fd98::2]']) {
      const url = `http://${host}:${spec.ports[0]?.nodePort}/`;
      await eventually(url, async () =>
        names.includes((await hosts.run(3, 'curl', ['-s', '-g', '-m', '10', url])).stdout.split(' ')[0] ?? ''),
      );
    }
  });

  test('externalTrafficPolicy Local: the client is seen, other nodes drop, and the health check says where', async () => {
    await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: here }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: { statefulset.kubernetes.io/pod-name: one-0 }
  ports: [{ port: 8888, targetPort: 8080 }]
`);
    await cluster.ok(['rollout', 'status', 'statefulset/one', '--timeout=120s']);
    interface Service {
      spec: { healthCheckNodePort: number; ports: { nodePort: number }[] };
    }
    const { spec } = await cluster.get<Service>('service', 'here');
    const nodePort = spec.ports[0]?.nodePort;
    const curl = async (host: number, port: number | undefined): Promise<string> =>
      (await hosts.run(3, 'curl', ['-s', '-m', '2', `http://${hosts.address(host)}:${port}/`])).stdout;
    await eventually('node-2 has it', async () => (await curl(2, nodePort)) === `one-0 ${hosts.address(3)}`);
    expect(await curl(1, nodePort)).toBe('');
    for (const [node, localEndpoints] of [
      [2, 1],
      [1, 0],
    ] as const)
      await eventually(`the health check of node-${node}`, async () => {
        expect(JSON.parse(await curl(node, spec.healthCheckNodePort))).toMatchObject({ localEndpoints });
        return true;
      });
  });

  test('traffic stays on the node, or in the zone, where a Service asks for it', async () => {
    for (const node of [1, 2])
      await cluster.ok(['label', 'node', `node-${node}`, `topology.kubernetes.io/zone=z${node}`]);
    for (const distribution of ['PreferSameNode', 'PreferSameZone']) {
      const name = distribution.toLowerCase();
      await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  trafficDistribution: ${distribution}
  selector: { app: net }
  ports: [{ port: 80, targetPort: 8080 }]
`);
      for (const node of [1, 2])
        await eventually(`${distribution} on node-${node}`, async () => {
          const answers = (await dial(node, name, 80, 20)).map((answer) => answer.split(' ')[0]);
          return answers.every((answer) => answer === podOn(node).metadata.name);
        });
    }
  });

  test('no connection from another node is lost while pods are replaced', async () => {
    await cluster.apply(ROLLING);
    await cluster.ok(['rollout', 'status', 'deployment/rolling', '--timeout=120s']);
    await eventually('it answers', async () => (await dial(1, 'rolling', 80))[0]?.startsWith('rolling-'));
    let running = true;
    const answers: string[] = [];
    const load = Array.from({ length: 2 }, async () => {
      while (running) answers.push(...(await dial(1, 'rolling', 80, 300)));
    });
    await cluster.ok(['rollout', 'restart', 'deployment/rolling']);
    await cluster.ok(['rollout', 'status', 'deployment/rolling', '--timeout=120s']);
    await eventually('the old pods are gone', async () => {
      const { items } = await cluster.get<Pods>('pods', '-l', 'app=rolling');
      return items.length === 2;
    });
    running = false;
    await Promise.all(load);
    expect(answers.filter((answer) => !answer.startsWith('rolling-'))).toEqual([]);
    expect(new Set(answers.map((answer) => answer.split(' ')[0])).size).toBeGreaterThan(2);
  });

  test('routes that somebody else removes come back; tables of others stay', async () => {
    await hosts.sh(
      2,
      'nft add table inet other; nft add chain inet other input "{ type filter hook input priority 0; }"',
    );
    await hosts.sh(1, `ip route del ${podOn(2).status.podIP.replace(/\.\d+$/, '.0/24')}`);
    await eventually('the route is back', async () =>
      (await dial(1, podOn(2).status.podIP, 8080))[0]?.startsWith(podOn(2).metadata.name),
    );
    await hosts.sh(1, `ip link del $(ip -o link show type vxlan | cut -d: -f2)`);
    await eventually('the tunnel is back', async () =>
      (await dial(1, podOn(2).status.podIPs[1]?.ip ?? '', 8080))[0]?.startsWith(podOn(2).metadata.name),
    );
    expect(await hosts.sh(2, 'nft list tables')).toContain('table inet other');
    await hosts.sh(2, 'nft delete table inet other');
  });

  test('the doctor finds nothing, then what is broken and why', async () => {
    const firewall = (node: number, ...rules: readonly string[]): Promise<string> =>
      hosts.sh(node, `nft add table inet other; nft delete table inet other\n${rules.join('\n')}`);
    for (const node of [1, 2]) await firewall(node);
    await eventually('nothing is found', async () => {
      expect(await doctor()).toMatchObject({ code: 0, stdout: 'ok: 32 checks between 2 nodes (node-1, node-2)\n' });
      return true;
    });
    const { spec } = await cluster.get<{ spec: { clusterIP: string } }>('service', 'kubernetes');
    const table = [
      'nft add table inet other',
      'nft add chain inet other first "{ type filter hook prerouting priority -400; }"',
    ];
    await firewall(1, ...table, `nft add rule inet other first ip daddr ${spec.clusterIP}/16 tcp dport 80 drop`);
    const nodePorts = `ip daddr ${hosts.address(2)} tcp dport 30000-32767`;
    await firewall(
      2,
      ...table,
      'nft add rule inet other first udp dport 53 drop',
      `nft add rule inet other first ${nodePorts} drop`,
    );
    const several = await doctor();
    expect(several.code).toBe(1);
    for (const node of ['node-1', 'node-2']) {
      expect(several.stdout).toMatch(
        new RegExp(`pod on node-1 to Service .* of the pod on ${node}: no answer\n.*service proxy of node-1`),
      );
      expect(several.stdout).toMatch(
        new RegExp(`pod on ${node} to node port .* of node-2: no answer\n.*firewall on node-2`),
      );
    }
    expect(several.stdout).toMatch(/pod on node-2 looking up .*\(and 1 other names\): .*\n.*cluster DNS of node-2/);
    expect(several.stdout).not.toMatch(/pod on \S+ to pod on|pod on node-2 to Service|of node-1: no answer/);
    await firewall(1);
    await firewall(2, ...table, 'nft add rule inet other first udp dport 8472 drop');
    const { code, stdout } = await doctor();
    expect(code).toBe(1);
    expect(stdout).toMatch(/pod on node-1 to pod on node-2 .*no answer\n.*198.18.0.1 to 198.18.0.2.*UDP port 8472/);
    await firewall(2);
    await eventually(
      'its namespaces are gone',
      async () => !(await cluster.ok(['get', 'namespaces'])).includes('kube-lite-doctor'),
    );
  });
});

const ROLLING = `
apiVersion: v1
kind: Service
metadata: { name: rolling }
spec: { selector: { app: rolling }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: rolling }
spec:
  replicas: 2
  selector: { matchLabels: { app: rolling } }
  template:
    metadata: { labels: { app: rolling } }
    spec:
      nodeSelector: { kubernetes.io/hostname: node-2 }
      terminationGracePeriodSeconds: 10
      containers:
        - name: c
          image: netserver:test
          imagePullPolicy: Never
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
          # As everywhere: other nodes hear a moment later that the pod is going.
          lifecycle: { preStop: { sleep: { seconds: 5 } } }
`;

const PODS = `
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
        - { name: c, image: 'netserver:test', imagePullPolicy: Never, readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: one }
spec:
  serviceName: one
  replicas: 1
  selector: { matchLabels: { app: one } }
  template:
    metadata: { labels: { app: one } }
    spec:
      nodeName: node-2
      terminationGracePeriodSeconds: 0
      containers:
        - { name: c, image: 'netserver:test', imagePullPolicy: Never, readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 } }
`;
