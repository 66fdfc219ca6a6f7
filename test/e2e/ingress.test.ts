/** Traffic from outside: Ingresses (the seeds' own among them) and Services of type LoadBalancer, on a real node. */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../pkg/base/clock.ts';
import { ensureLocalLeaf } from '../../pkg/pki/index.ts';
import { Cluster, eventually, freePort } from './cluster.ts';

const HOST = 'www.k8s-demo.com';

const WORKLOAD = `
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: k8s-demo
  namespace: spring-test
spec:
  replicas: 3
  template:
    metadata:
      labels:
        app: k8s-demo
    spec:
      containers:
      - name: k8s-demo
        image: k8s-demo:0.0.1-SNAPSHOT
        ports:
          - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: k8s-demo
  namespace: spring-test
spec:
  type: NodePort
  selector:
    app: k8s-demo
  ports:
   - protocol: TCP
     port: 8888
     targetPort: 8080
     nodePort: 30003
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: k8s-demo
  namespace: spring-test
spec:
  rules:
  - host: www.k8s-demo.com
    http:
      paths:
      - path: /hello
        backend:
          serviceName: k8s-demo
          servicePort: 8888
`;

const CANARY = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: canary, namespace: spring-test}
spec:
  selector: {matchLabels: {app: canary}}
  template:
    metadata: {labels: {app: canary}}
    spec:
      containers: [{name: web, image: "k8s-demo:0.0.2-SNAPSHOT"}]
---
apiVersion: v1
kind: Service
metadata: {name: canary, namespace: spring-test}
spec:
  selector: {app: canary}
  ports: [{name: web, port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: canary
  namespace: spring-test
  annotations:
    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-by-header: X-Canary
    nginx.ingress.kubernetes.io/canary-weight: "50"
spec:
  ingressClassName: kube-lite
  rules:
  - host: www.k8s-demo.com
    http:
      paths: [{path: /hello, pathType: Prefix, backend: {service: {name: canary, port: {name: web}}}}]
`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe('traffic from outside', () => {
  let cluster: Cluster;
  let httpPort: number;
  let httpsPort: number;
  let nodeIP: string;
  const agent = new Agent({ keepAlive: true });

  const ask = (port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      request({ host: nodeIP, port, path, headers: { host: HOST, ...headers }, agent }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      })
        .on('error', reject)
        .end();
    });

  beforeAll(async () => {
    httpPort = await freePort();
    httpsPort = await freePort();
    const flags = ['--ingress-http-port', String(httpPort), '--ingress-https-port', String(httpsPort)];
    cluster = await Cluster.start({ flags });
    const node = await cluster.get<{ status: { addresses: { type: string; address: string }[] } }>(
      'node',
      cluster.nodeName,
    );
    nodeIP = node.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
    await cluster.ok(['create', 'namespace', 'spring-test']);
    await cluster.apply(WORKLOAD);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=60s']);
  });

  afterAll(async () => {
    agent.destroy();
    await cluster?.remove();
  });

  test("the seeds' Ingress leads to its pods", async () => {
    const { body } = await eventually('the Ingress answers', async () => {
      const answer = await ask(httpPort, '/hello');
      return answer.status === 200 && answer;
    });
    expect(body).toBe('0.0.1-SNAPSHOT\n');
    expect((await ask(httpPort, '/other')).status).toBe(404);
    expect((await ask(httpPort, '/hello', { host: 'other.test' })).status).toBe(404);
    const address = '-o=jsonpath={.status.loadBalancer.ingress[*].ip}';
    await eventually('the address is in the status', async () =>
      (await cluster.ok(['get', 'ingress', 'k8s-demo', '-n', 'spring-test', address])).split(' ').includes(nodeIP),
    );
    expect(await cluster.ok(['get', 'ingress', '-n', 'spring-test'])).toMatch(/k8s-demo +<none> +www\.k8s-demo\.com/);
    expect(await cluster.ok(['get', 'ingressclass', 'kube-lite'])).toContain('kube-lite.io/ingress');
  });

  test('a gray release: by header and by weight', async () => {
    await cluster.apply(CANARY);
    await cluster.ok(['rollout', 'status', 'deployment/canary', '-n', 'spring-test', '--timeout=60s']);
    await eventually('the canary answers', async () =>
      (await ask(httpPort, '/hello', { 'x-canary': 'always' })).body.startsWith('0.0.2'),
    );
    for (let i = 0; i < 5; i++)
      expect((await ask(httpPort, '/hello', { 'x-canary': 'never' })).body).toMatch(/^0\.0\.1/);
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) seen.add((await ask(httpPort, '/hello')).body);
    expect([...seen].sort()).toEqual(['0.0.1-SNAPSHOT\n', '0.0.2-SNAPSHOT\n']);
    await cluster.ok(['delete', 'ingress', 'canary', '-n', 'spring-test']);
  });

  test('no request is lost while the pods are replaced', async () => {
    let running = true;
    const statuses: number[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (running) statuses.push((await ask(httpPort, '/hello', { 'x-canary': 'never' })).status);
    });
    await cluster.ok(['rollout', 'restart', 'deployment/k8s-demo', '-n', 'spring-test']);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=60s']);
    running = false;
    await Promise.all(load);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(100);
  });

  test('TLS with the certificate of a Secret', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingress-tls-'));
    const profile = {
      name: 'tls',
      commonName: HOST,
      organizations: [],
      usage: 'server',
      alternativeNames: [HOST],
    } as const;
    await ensureLocalLeaf(directory, profile, systemClock);
    const files = ['--cert', join(directory, 'tls.crt'), '--key', join(directory, 'tls.key')];
    await cluster.ok(['create', 'secret', 'tls', 'demo', '-n', 'spring-test', ...files]);
    await rm(directory, { recursive: true });
    const patch = JSON.stringify({ spec: { tls: [{ hosts: [HOST], secretName: 'demo' }] } });
    await cluster.ok(['patch', 'ingress', 'k8s-demo', '-n', 'spring-test', '--type=merge', '-p', patch]);
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = {
          host: nodeIP,
          port: httpsPort,
          servername: HOST,
          rejectUnauthorized: false,
          agent: false,
        } as const;
        httpsRequest({ ...options, path: '/hello', headers: { host: HOST } }, (response) => {
          const socket = response.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } };
          resolve(`${response.statusCode} ${socket.getPeerCertificate().subject.CN}`);
          response.resume();
        })
          .on('error', reject)
          .end();
      });
    await eventually('the certificate is shown', async () => (await subject()) === `200 ${HOST}`);
    expect((await ask(httpPort, '/hello')).status).toBe(308);
  });

  test('a Service of type LoadBalancer answers on the address of the node, one on each port', async () => {
    const port = await freePort();
    const service = (name: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: spring-test}
spec:
  type: LoadBalancer
  selector: {app: k8s-demo}
  ports: [{port: ${port}, targetPort: 8080}]
`;
    await cluster.apply(service('first'));
    const ip = ['-n', 'spring-test', '-o=jsonpath={.status.loadBalancer.ingress[*].ip}'];
    await eventually('it has an address', async () =>
      (await cluster.ok(['get', 'service', 'first', ...ip])).split(' ').includes(nodeIP),
    );
    await eventually('it answers', async () => (await ask(port, '/hello')).status === 200);
    await cluster.apply(service('second'));
    await eventually('the second is told why not', async () => {
      const events = ['get', 'events', '-n', 'spring-test', '--field-selector=involvedObject.name=second'];
      return (await cluster.ok(events)).includes('belongs to Service spring-test/first');
    });
    expect(await cluster.ok(['get', 'service', 'second', '-n', 'spring-test'])).toContain('<pending>');
    await cluster.ok(['delete', 'service', 'first', '-n', 'spring-test', '--timeout=20s']);
    await eventually(
      'the second has it now',
      async () => (await cluster.ok(['get', 'service', 'second', ...ip])) !== '',
    );
  });
});
