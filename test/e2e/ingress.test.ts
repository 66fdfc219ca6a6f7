/** Traffic from outside: Ingresses (the seeds' own among them) and Services of type LoadBalancer, on a real node. */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect as connectHTTP2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type Client as GRPCClient, makeGenericClientConstructor } from '@grpc/grpc-js';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../pkg/base/clock.ts';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { ensureLocalLeaf } from '../../pkg/pki/index.ts';
import { buildNodeImage } from '../images/node-image.ts';
import { Cluster, eventually } from './cluster.ts';
import { endAll } from './ending.ts';

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

const ingressTo = (name: string, port: number, annotations: Record<string, string>): string => `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: spring-test
  annotations: ${JSON.stringify(
    Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
    ),
  )}
spec:
  ingressClassName: kube-lite
  rules:
  - host: ${name}.test
    http:
      paths: [{path: /, pathType: Prefix, backend: {service: {name: protocols, port: {number: ${port}}}}}]
`;

const PROTOCOLS = `
apiVersion: v1
kind: Pod
metadata: {name: protocols, namespace: spring-test, labels: {app: protocols}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: 'protocols:test', imagePullPolicy: Never}]
---
apiVersion: v1
kind: Service
metadata: {name: protocols, namespace: spring-test}
spec:
  selector: {app: protocols}
  ports: [{name: http, port: 8080}, {name: grpc, port: 9090}]
${ingressTo('protocols', 8080, {})}
${ingressTo('grpc', 9090, { 'backend-protocol': 'GRPC' })}
${ingressTo('users', 8080, { 'auth-type': 'basic', 'auth-secret': 'users' })}
${ingressTo('odd', 8080, { 'server-snippet': 'return 200;', 'auth-tls-secret': 'spring-test/ca' })}
${ingressTo('checked', 8080, {
  'auth-url': 'http://protocols.spring-test.svc.cluster.local:8080/check',
  'auth-response-headers': 'X-User',
})}
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: spring-test}
stringData: {auth: "me:$apr1$abcdefgh$bw9gEObk10asetVLiysIZ0"}
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
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    const script = join(dataDir, 'protocol-server.cjs');
    const entryPoints = [join(import.meta.dirname, 'network/protocol-server.mjs')];
    await build({ entryPoints, bundle: true, platform: 'node', format: 'cjs', outfile: script, logLevel: 'error' });
    await buildNodeImage(join(dataDir, 'agent/images'), 'protocols', [script]);
    await rm(script);
    cluster = await Cluster.start({ flags, dataDir });
    const node = await cluster.get<{ status: { addresses: { type: string; address: string }[] } }>(
      'node',
      cluster.nodeName,
    );
    nodeIP = node.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
    await cluster.ok(['create', 'namespace', 'spring-test']);
    await cluster.apply(WORKLOAD);
    await cluster.apply(PROTOCOLS);
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=120s']);
  });

  afterAll(() =>
    endAll(
      () => agent.destroy(),
      () => cluster?.remove(),
    ),
  );

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
    await cluster.ok(['rollout', 'status', 'deployment/canary', '-n', 'spring-test', '--timeout=120s']);
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
    await cluster.ok(['rollout', 'status', 'deployment/k8s-demo', '-n', 'spring-test', '--timeout=120s']);
    running = false;
    await Promise.all(load);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(100);
  });

  test('HTTP/1.1: trailers and WebSockets; HTTP/2: hints and trailers', async () => {
    const host = 'protocols.test';
    await eventually('it answers', async () => (await ask(httpPort, '/', { host })).status === 200);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: nodeIP, port: httpPort, path: '/trailers', headers: { host }, agent: false }, (response) => {
        response.resume().once('end', () => resolve(response));
      })
        .on('error', reject)
        .end();
    });
    expect(answer.trailers).toEqual({ 'x-checksum': '42' });

    const session = connectHTTP2(`https://${nodeIP}:${httpsPort}`, { rejectUnauthorized: false });
    const get = async (path: string): Promise<{ text: string; hints: unknown; trailers: Record<string, unknown> }> => {
      const stream = session.request({ ':path': path, ':authority': host });
      const got = { text: '', hints: undefined as unknown, trailers: {} };
      stream.on('headers', (headers) => {
        got.hints = [headers[':status'], headers['link']];
      });
      stream.on('trailers', (trailers) => {
        got.trailers = { ...trailers };
      });
      for await (const chunk of stream) got.text += chunk;
      return got;
    };
    const [hinted, trailed, plain] = await Promise.all([get('/hints'), get('/trailers'), get('/a?b=c')]);
    session.close();
    expect(hinted).toMatchObject({ text: 'hinted', hints: [103, '</style.css>; rel=preload'] });
    expect(trailed).toMatchObject({ text: 'first second', trailers: { 'x-checksum': '42' } });
    expect(JSON.parse(plain.text)).toMatchObject({
      url: '/a?b=c',
      httpVersion: '1.1',
      headers: { host, 'x-forwarded-proto': 'https' },
    });

    for (const [scheme, port] of [
      ['ws', httpPort],
      ['wss', httpsPort],
    ] as const) {
      const socket = new WebSocket(`${scheme}://${nodeIP}:${port}/chat`, {
        headers: { host },
        rejectUnauthorized: false,
      });
      const large = Buffer.alloc(200_000, 7);
      const messages = await new Promise<Buffer[]>((resolve, reject) => {
        const all: Buffer[] = [];
        socket.on('open', () => {
          socket.send('hello');
          socket.send(large);
        });
        socket.on('message', (data) => {
          all.push(data as Buffer);
          if (all.length === 2) resolve(all);
        });
        socket.on('error', reject);
      });
      socket.close();
      expect(String(messages[0])).toBe('echo hello');
      expect(large.equals(messages[1] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  test('gRPC: a call, an error, a stream both ways', async () => {
    const serialize = (value: string): Buffer => Buffer.from(value);
    const deserialize = (bytes: Buffer): string => String(bytes);
    const Client = makeGenericClientConstructor({}, 'echo.Echo');
    const client: GRPCClient = new Client(
      `${nodeIP}:${httpsPort}`,
      credentials.createSsl(null, null, null, { rejectUnauthorized: false }),
      { 'grpc.ssl_target_name_override': 'grpc.test', 'grpc.default_authority': 'grpc.test' },
    );
    const call = (method: string): Promise<string> =>
      new Promise((resolve) => {
        const path = `/echo.Echo/${method}`;
        client.makeUnaryRequest(path, serialize, deserialize, 'hello', (error, value) =>
          resolve(error === null ? (value ?? '') : `${error.code} ${error.details}`),
        );
      });
    await eventually('it answers', async () => (await call('Unary')) === 'echo hello');
    expect(await call('Fail')).toBe('5 nothing here');
    const stream = client.makeBidiStreamRequest('/echo.Echo/Stream', serialize, deserialize);
    const received: string[] = [];
    const ended = new Promise<unknown>((resolve) => {
      stream.on('status', ({ code }) => resolve(code));
      stream.on('error', () => {});
    });
    // Each message is answered before the next one is sent: nothing waits for the end of a body.
    stream.on('data', (value: string) => {
      received.push(value);
      if (received.length < 5) stream.write(`message ${received.length}`);
      else stream.end();
    });
    stream.write('message 0');
    expect(await ended).toBe(0);
    expect(received).toEqual(Array.from({ length: 5 }, (_, at) => `echo message ${at}`));
    client.close();
  });

  test('who may come in: users of a Secret, or whom another server lets in', async () => {
    const basic = (password: string): Record<string, string> => ({
      host: 'users.test',
      authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}`,
    });
    await eventually('users', async () => (await ask(httpPort, '/', basic('geheim'))).status === 200);
    expect((await ask(httpPort, '/', basic('wrong'))).status).toBe(401);
    expect((await ask(httpPort, '/', { host: 'checked.test' })).status).toBe(401);
    const { status, body } = await ask(httpPort, '/', { host: 'checked.test', cookie: 'good', 'x-user': 'root' });
    expect([status, JSON.parse(body).headers['x-user']]).toEqual([200, 'somebody']);
    expect((await ask(httpPort, '/', { host: 'odd.test' })).status).toBe(503);
    const events = ['get', 'events', '-n', 'spring-test', '--field-selector=involvedObject.name=odd', '-o', 'yaml'];
    await eventually('what is not supported is said', async () => {
      const said = await cluster.ok(events);
      return ['server-snippet', 'auth-tls-secret'].every((name) => said.includes(`${name} is not supported`));
    });
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
    await cluster.ok(['delete', 'service', 'first', '-n', 'spring-test', '--timeout=120s']);
    await eventually(
      'the second has it now',
      async () => (await cluster.ok(['get', 'service', 'second', ...ip])) !== '',
    );
  });
});
