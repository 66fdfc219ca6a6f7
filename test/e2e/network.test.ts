import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildNodeImage } from '../images/node-image.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the tests of the network do not run: ${missing}`);

/** After so many answers each of three pods has given one of them, but for chances that nobody has seen. */
const MANY = 80;

interface Pods {
  items: { metadata: { name: string }; status: { podIP: string } }[];
}

interface ServiceObject {
  spec: { clusterIP: string; type: string; ports: { nodePort?: number }[]; healthCheckNodePort?: number };
}

/** The requirements of the sig-network conformance cases, on machine 1; machine 2 is a client outside the cluster. */
describe.skipIf(missing !== undefined)('the network', () => {
  let hosts: Hosts;
  let cluster: Cluster;
  let pods: Pods['items'];

  beforeAll(async () => {
    hosts = await Hosts.create(2);
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    const script = join(import.meta.dirname, 'network/netserver.mjs');
    await buildNodeImage(join(dataDir, 'agent/images'), 'netserver', [script]);
    cluster = await Cluster.start({ dataDir, netns: hosts.netns(1), nodeName: 'node-1' });
    await cluster.apply(PODS);
    await cluster.ok(['rollout', 'status', 'deployment/net', '--timeout=120s']);
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/client', 'pod/tool', 'pod/on-host', '--timeout=120s']);
    ({ items: pods } = await cluster.get<Pods>('pods', '-l', 'app=net'));
  });

  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => hosts?.remove(),
    ),
  );

  /** What a pod is answered. */
  async function dial(
    host: string,
    port: number,
    count = 1,
    protocol = 'http',
    client = 'client',
    timeoutMs = 15_000,
  ): Promise<string[]> {
    const args = ['exec', client, '--', 'node', '/app/netserver.mjs', 'dial', protocol, host];
    return (await cluster.ok([...args, ...[port, count, timeoutMs].map(String)])).trim().split('\n');
  }
  const serversOf = (answers: readonly string[]): string[] => [
    ...new Set(answers.map((answer) => answer.split(' ')[0] ?? '')),
  ];
  const names = (): string[] => pods.map((pod) => pod.metadata.name).sort();

  async function curl(host: number, url: string, ...more: string[]): Promise<string> {
    return (await hosts.run(host, 'curl', ['-s', '-g', '-m', '10', ...more, url])).stdout;
  }

  const service = (name: string): Promise<ServiceObject> => cluster.get<ServiceObject>('service', name);
  const patch = (name: string, change: unknown): Promise<string> =>
    cluster.ok(['patch', 'service', name, '--type=merge', '-p', JSON.stringify(change)]);
  /** As clients do that read an object, change it, and write all of it. */
  async function edit(name: string, change: (spec: object) => object): Promise<ServiceObject> {
    const object = await service(name);
    const text = JSON.stringify({ ...object, spec: change(object.spec) });
    return JSON.parse(await cluster.ok(['replace', '-f', '-', '-o', 'json'], text)) as ServiceObject;
  }
  const expose = (name: string, spec: string): Promise<string> =>
    cluster.apply(`apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: ${spec}`);

  /** What the C library of pod `client` finds, with its search path. */
  async function addresses(name: string): Promise<string[]> {
    return (await cluster.ok(['exec', 'client', '--', 'node', '/app/netserver.mjs', 'lookup', name]))
      .trim()
      .split('\n');
  }

  /** The records that pod `tool` is given; busybox uses the search path for names without a dot only. */
  async function lookup(name: string, type = 'A'): Promise<string> {
    return (await cluster.kubectl(['exec', 'tool', '--', 'nslookup', `-type=${type}`, name])).stdout;
  }

  test('pods, pods of the host network and the node reach pods by HTTP and UDP', async () => {
    for (const { metadata, status } of pods) {
      for (const [protocol, port] of [
        ['http', 8080],
        ['udp', 8081],
      ] as const) {
        expect(serversOf(await dial(status.podIP, port, 1, protocol, 'on-host'))).toEqual([metadata.name]);
      }
      expect(serversOf(await dial(status.podIP, 8080))).toEqual([metadata.name]);
      expect(serversOf(await dial(status.podIP, 8081, 1, 'udp'))).toEqual([metadata.name]);
      expect(await curl(1, `http://${status.podIP}:8080/`)).toMatch(metadata.name);
    }
  });

  test('a node port Service answers by name, cluster IP and on the node, TCP and UDP', async () => {
    await expose(
      'np',
      `{type: NodePort, selector: {app: net}, ports: [
         {name: http, port: 80, targetPort: 8080}, {name: udp, port: 81, targetPort: 8081, protocol: UDP}]}`,
    );
    const { spec } = await service('np');
    const [http = 0, udp = 0] = spec.ports.map((port) => port.nodePort ?? 0);
    await eventually(
      'all pods answer',
      async () =>
        serversOf(await dial('np', 80, MANY))
          .sort()
          .join() === names().join(),
    );
    expect(serversOf(await dial(spec.clusterIP, 80, MANY)).sort()).toEqual(names());
    expect(serversOf(await dial(spec.clusterIP, 81, MANY, 'udp')).sort()).toEqual(names());
    expect(serversOf(await dial(hosts.address(1), http, MANY)).sort()).toEqual(names());
    expect(serversOf(await dial(hosts.address(1), udp, MANY, 'udp')).sort()).toEqual(names());
    expect(names()).toContain((await curl(2, `http://${hosts.address(1)}:${http}/`)).split(' ')[0]);
  });

  test('one port number for two protocols, one of which goes', async () => {
    const tcp = { name: 'tcp', port: 80, targetPort: 8080, protocol: 'TCP' };
    const udp = { name: 'udp', port: 80, targetPort: 8081, protocol: 'UDP' };
    await expose('both', `{selector: {app: net}, ports: ${JSON.stringify([tcp, udp])}}`);
    const { spec } = await service('both');
    const answers = async (protocol: string): Promise<boolean> =>
      names().includes(serversOf(await dial(spec.clusterIP, 80, 1, protocol))[0] ?? '');
    const only = async (there: string, gone: string): Promise<void> => {
      await eventually(`${there} answers`, () => answers(there));
      await eventually(`${gone} does not`, async () => !(await answers(gone)));
    };
    await eventually('both answer', async () => (await answers('http')) && (await answers('udp')));
    await edit('both', (before) => ({ ...before, ports: [tcp] }));
    await only('http', 'udp');
    await edit('both', (before) => ({ ...before, ports: [udp] }));
    await only('udp', 'http');
    await cluster.ok(['delete', 'service', 'both']);
  });

  test('a connection through a Service that one side has ended is remembered for an hour', async () => {
    const setting = 'net.netfilter.nf_conntrack_tcp_timeout_close_wait';
    expect(await hosts.sh(1, `sysctl -n ${setting}`)).toBe('3600\n');
  });

  test.each(['ClusterIP', 'NodePort'])('session affinity of type %s is switched on and off', async (type) => {
    const name = `sticky-${type.toLowerCase()}`;
    await expose(
      name,
      `{type: ${type}, sessionAffinity: ClientIP, selector: {app: net}, ports: [{port: 80, targetPort: 8080}]}`,
    );
    const { spec } = await service(name);
    const [host, port]: [string, number] =
      type === 'NodePort' ? [hosts.address(1), spec.ports[0]?.nodePort ?? 0] : [spec.clusterIP, 80];
    const spread = async (): Promise<number> => serversOf(await dial(host, port, 20)).length;
    await eventually('answers', async () => !(await dial(host, port)).some((answer) => answer.startsWith('E')));
    expect(await spread()).toBe(1);
    await patch(name, { spec: { sessionAffinity: 'None' } });
    await eventually('spread', async () => (await spread()) > 1);
    await patch(name, { spec: { sessionAffinity: 'ClientIP' } });
    await eventually('sticky', async () => (await spread()) === 1);
    expect(await spread()).toBe(1);
  });

  test('a Service changes its type while it is used, written as a whole like client-go does', async () => {
    const other = 'np.default.svc.cluster.local';
    const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
    const answers = (host: string, port: number): Promise<unknown> =>
      eventually(`${host}:${port}`, async () => names().includes(serversOf(await dial(host, port))[0] ?? ''));
    const refuses = (host: string, port: number): Promise<unknown> =>
      eventually(`${host}:${port} no more`, async () => (await dial(host, port))[0] === 'ECONNREFUSED');
    const isAlias = (name = 'np'): Promise<unknown> =>
      eventually(`CNAME ${name}`, async () => (await lookup('typed', 'CNAME')).includes(`= ${name}.default`));

    await expose('typed', `{type: ExternalName, externalName: ${other}, selector: {app: net}}`);
    expect((await service('typed')).spec.clusterIP).toBeUndefined();
    await isAlias();
    await edit('typed', (spec) => ({ ...spec, externalName: 'sticky-clusterip.default.svc.cluster.local' }));
    await isAlias('sticky-clusterip');

    const first = await edit('typed', (spec) => ({ ...spec, type: 'NodePort', externalName: '', ports }));
    const nodePort = first.spec.ports[0]?.nodePort ?? 0;
    await eventually('A', async () => (await lookup('typed')).includes(first.spec.clusterIP));
    await answers('typed', 80);
    await answers(first.spec.clusterIP, 80);
    await answers(hosts.address(1), nodePort);

    const alias = await edit('typed', (spec) => ({ ...spec, type: 'ExternalName', externalName: other }));
    expect(alias.spec.clusterIP).toBeUndefined();
    expect(alias.spec.ports[0]?.nodePort).toBeUndefined();
    await isAlias();
    await refuses(first.spec.clusterIP, 80);
    await refuses(hosts.address(1), nodePort);

    const second = await edit('typed', (spec) => ({ ...spec, type: 'ClusterIP', ports }));
    await eventually('A again', async () => (await lookup('typed')).includes(second.spec.clusterIP));
    await answers('typed', 80);
    await edit('typed', (spec) => ({ ...spec, ports: [{ ...ports[0], port: 8888 }] }));
    await answers(second.spec.clusterIP, 8888);
    await refuses(second.spec.clusterIP, 80);

    expect((await edit('typed', (spec) => ({ ...spec, type: 'ExternalName' }))).spec.clusterIP).toBeUndefined();
    await isAlias();
    await refuses(second.spec.clusterIP, 8888);
  });

  test('endpoints with several ports: each Pod where it listens, as Pods come and go', async () => {
    const pod = (name: string, port: number): string => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: multi } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: c, image: 'netserver:test', imagePullPolicy: Never, ports: [{ name: ${name}, containerPort: ${port} }] }`;
    const wanted = [
      { name: 'multi-1', port: 80, serves: 8080 },
      { name: 'multi-2', port: 81, serves: 8090 },
    ];
    const ports = wanted.map(({ name, port }) => `{name: ${name}, port: ${port}, targetPort: ${name}}`);
    await expose('multi', `{selector: {app: multi}, ports: [${ports.join(', ')}]}`);
    const endpointsAre = (pods: readonly (typeof wanted)[0][]): Promise<unknown> =>
      eventually(`endpoints of ${pods.map(({ name }) => name)}`, async () => {
        const path = '{range .subsets[*]}{.ports[*].name}:{.ports[*].port} {end}';
        const found = (await cluster.ok(['get', 'endpoints', 'multi', '-o', `jsonpath=${path}`])).trim().split(' ');
        return found.sort().join(' ') === pods.map(({ name, serves }) => `${name}:${serves}`).join(' ');
      });
    await endpointsAre([]);
    const running: (typeof wanted)[0][] = [];
    for (const one of wanted) {
      await cluster.apply(pod(one.name, one.serves));
      running.push(one);
      await endpointsAre(running);
    }
    for (const { name, port } of wanted)
      await eventually(name, async () => serversOf(await dial('multi', port))[0] === name);
    for (const { name, port } of wanted) {
      running.shift();
      await cluster.ok(['delete', 'pod', name]);
      await endpointsAre(running);
      await eventually(`${name} has gone`, async () => (await dial('multi', port))[0] === 'ECONNREFUSED');
    }
  });

  test('host ports: by address and protocol, each to its own pod', async () => {
    const pod = (name: string, more: string) => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - { name: c, image: 'netserver:test', imagePullPolicy: Never, ports: [{ hostPort: 5432, ${more} }] }`;
    const [node] = [hosts.address(1)];
    await cluster.apply(
      pod('hp1', 'containerPort: 8080, hostIP: 127.0.0.1') +
        pod('hp2', `containerPort: 8080, hostIP: ${node}`) +
        pod('hp3', `containerPort: 8081, hostIP: ${node}, protocol: UDP`),
    );
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/hp1', 'pod/hp2', 'pod/hp3', '--timeout=120s']);
    await eventually('hp1', async () =>
      (await curl(1, 'http://127.0.0.1:5432/', '--interface', node)).startsWith('hp1 '),
    );
    await eventually('hp2', async () => (await curl(1, `http://${node}:5432/`)).startsWith('hp2 '));
    await eventually('hp2', async () => (await curl(2, `http://${node}:5432/`)) === `hp2 ${hosts.address(2)}`);
    await eventually('hp3', async () => serversOf(await dial(node, 5432, 1, 'udp'))[0] === 'hp3');
    await cluster.ok(['delete', 'pod', 'hp1', 'hp2', 'hp3', '--wait=false']);
  });

  test('a pod gets and sends no more than its annotations say', async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata:
  name: slow
  annotations: { kubernetes.io/ingress-bandwidth: 7M, kubernetes.io/egress-bandwidth: 9M }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: 'netserver:test', imagePullPolicy: Never }]
`);
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/slow', '--timeout=120s']);
    const rules = (): Promise<string> => hosts.sh(1, 'tc qdisc show');
    for (const rate of ['7Mbit', '9Mbit']) expect(await rules()).toMatch(new RegExp(`qdisc tbf .* rate ${rate}`));
    await cluster.ok(['delete', 'pod', 'slow']);
    await eventually('nothing is left of it', async () => !/rate [79]Mbit/.test(await rules()));
  });

  test('names: Services, pods with host names, ports, addresses', async () => {
    await expose(
      'headless',
      '{clusterIP: None, selector: {app: named}, ports: [{name: http, port: 80, targetPort: 8080}]}',
    );
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: named, labels: { app: named } }
spec:
  hostname: one
  subdomain: headless
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: 'netserver:test', imagePullPolicy: Never }]
`);
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/named', '--timeout=120s']);
    const { status } = await cluster.get<Pods['items'][0]>('pod', 'named');
    const fqdn = 'one.headless.default.svc.cluster.local';
    await eventually('headless', async () => (await lookup('headless')).includes(status.podIP));
    for (const name of ['one.headless', 'one.headless.default', fqdn])
      expect(await addresses(name), name).toEqual([status.podIP]);
    expect(await lookup(`${status.podIP.replaceAll('.', '-')}.default.pod.cluster.local`)).toContain(status.podIP);
    expect(await lookup('_http._tcp.headless.default.svc.cluster.local', 'SRV')).toMatch(new RegExp(`8080 ${fqdn}`));
    expect(await lookup(reverse(status.podIP), 'PTR')).toContain(fqdn);
    const { spec } = await service('kubernetes');
    for (const name of ['kubernetes.default', 'kubernetes.default.svc', 'kubernetes'])
      expect(await addresses(name)).toEqual([spec.clusterIP]);
    expect(await lookup(reverse(spec.clusterIP), 'PTR')).toContain('kubernetes.default.svc.cluster.local');
    expect(
      await cluster.ok(['exec', 'named', '--', 'node', '-p', 'require("fs").readFileSync("/etc/hosts","utf8")']),
    ).toMatch(`${status.podIP}\t${fqdn}\tone`);
  });

  test('domains that others answer for, by the ConfigMap, as it changes', async () => {
    const resolver = `${pods[0]?.status.podIP}:8053`;
    expect(await lookup('www.stub.test')).not.toContain('192.0.2.53');
    const stubDomains = JSON.stringify({ 'stub.test': [resolver] });
    await cluster.ok([
      'create',
      'configmap',
      'kube-dns',
      '-n',
      'kube-system',
      `--from-literal=stubDomains=${stubDomains}`,
    ]);
    await eventually('the stub answers', async () => (await lookup('www.stub.test')).includes('192.0.2.53'));
    await expose('stubbed', '{type: ExternalName, externalName: api.stub.test}');
    await eventually('an alias', async () => (await addresses('stubbed')).includes('192.0.2.53'));
    await cluster.ok(['delete', 'configmap', 'kube-dns', '-n', 'kube-system']);
    await eventually('forgotten', async () => !(await lookup('www.stub.test')).includes('192.0.2.53'));
  });

  test('policies: nobody but who is named, on the port named, from the first packet', async () => {
    await cluster.apply(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: guarded }
spec:
  podSelector: { matchLabels: { app: guarded } }
  policyTypes: [Ingress, Egress]
  ingress: [{ from: [{ podSelector: { matchLabels: { role: client } } }], ports: [{ port: http }] }]
  egress: []
---
apiVersion: v1
kind: Pod
metadata: { name: guarded, labels: { app: guarded } }
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
    - name: first
      image: netserver:test
      imagePullPolicy: Never
      args: [/app/netserver.mjs, dial, http, ${pods[0]?.status.podIP ?? ''}, '8080', '1', '2000']
  containers:
    - name: c
      image: netserver:test
      imagePullPolicy: Never
      ports: [{ name: http, containerPort: 8080 }]
      readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
`);
    // The probe of the node is let in.
    await cluster.ok(['wait', '--for=condition=Ready', 'pod/guarded', '--timeout=120s']);
    await cluster.logs(['guarded', '-c', 'first'], (text) => expect(text).toBe('TIMEOUT\n'));
    const { status } = await cluster.get<Pods['items'][0]>('pod', 'guarded');
    expect(serversOf(await dial(status.podIP, 8080))).toEqual(['guarded']);
    expect(await dial(status.podIP, 8090, 1, 'http', 'client', 2000)).toEqual(['TIMEOUT']);
    const url = `http://${status.podIP}:8080/`;
    expect((await cluster.kubectl(['exec', 'tool', '--', 'timeout', '1', 'wget', '-q', '-O-', url])).stdout).toBe('');
    await cluster.ok(['label', 'pod', 'tool', 'role=client']);
    await eventually('tool is let in', async () =>
      (await cluster.kubectl(['exec', 'tool', '--', 'timeout', '1', 'wget', '-q', '-O-', url])).stdout.startsWith(
        'guarded ',
      ),
    );
    await cluster.ok(['delete', 'networkpolicy', 'guarded']);
    await eventually('everything is let in', async () => (await dial(status.podIP, 8090))[0]?.startsWith('guarded'));
  });

  test('a ServiceCIDR gives more addresses, which are used and held', async () => {
    interface Ranges {
      spec: { cidrs: string[] };
      status: { conditions: { type: string; status: string; reason: string }[] };
    }
    expect((await cluster.get<Ranges>('servicecidr', 'kubernetes')).spec.cidrs).toHaveLength(1);
    await cluster.apply(
      'apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: { name: more }\nspec: { cidrs: [198.51.100.0/28] }',
    );
    await cluster.ok(['wait', '--for=condition=Ready', 'servicecidr/more', '--timeout=120s']);
    await expose('more', '{clusterIP: 198.51.100.5, selector: {app: net}, ports: [{port: 80, targetPort: 8080}]}');
    await eventually(
      'its object',
      async () => (await cluster.kubectl(['get', 'ipaddress', '198.51.100.5'])).code === 0,
    );
    await eventually('answers', async () => names().includes(serversOf(await dial('198.51.100.5', 80))[0] ?? ''));
    expect(names()).toContain((await curl(1, 'http://198.51.100.5/')).split(' ')[0]);
    await eventually('refuses', async () => (await dial('198.51.100.6', 80))[0] === 'ECONNREFUSED');
    await cluster.ok(['delete', 'servicecidr', 'more', '--wait=false']);
    await eventually('held', async () =>
      (await cluster.get<Ranges>('servicecidr', 'more')).status.conditions.some(
        ({ reason }) => reason === 'Terminating',
      ),
    );
    await cluster.ok(['delete', 'service', 'more']);
    await eventually('gone', async () => (await cluster.kubectl(['get', 'servicecidr', 'more'])).code !== 0);
  });

  test('Endpoints made by hand are mirrored, and traffic follows them', async () => {
    await expose('byhand', '{ports: [{name: http, port: 80}]}');
    const endpoints = (ip: string) => `
apiVersion: v1
kind: Endpoints
metadata: { name: byhand }
subsets: [{ addresses: [{ ip: ${ip} }], ports: [{ name: http, port: 8080 }] }]`;
    for (const { metadata, status } of pods.slice(0, 2)) {
      await cluster.apply(endpoints(status.podIP));
      await eventually(metadata.name, async () => serversOf(await dial('byhand', 80))[0] === metadata.name);
    }
    await cluster.ok(['delete', 'endpoints', 'byhand']);
    await eventually('no backend', async () => (await dial('byhand', 80))[0] === 'ECONNREFUSED');
  });
});

/** The name of an IPv4 address. */
function reverse(address: string): string {
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
}

const PODS = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: net }
spec:
  replicas: 3
  selector: { matchLabels: { app: net } }
  template:
    metadata: { labels: { app: net } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: netserver:test
          imagePullPolicy: Never
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Pod
metadata: { name: client, labels: { role: client } }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: 'netserver:test', imagePullPolicy: Never }]
---
apiVersion: v1
kind: Pod
metadata: { name: on-host }
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: 'netserver:test', imagePullPolicy: Never, args: [-e, 'setInterval(() => {}, 1e9)'] }]
---
apiVersion: v1
kind: Pod
metadata: { name: tool }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: c, image: 'busybox:test', imagePullPolicy: Never, command: [sleep, '1000000'] }]
`;
