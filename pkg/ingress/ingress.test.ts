import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { connect as connectHTTP2, createServer as createHTTP2Server } from 'node:http2';
import { createServer as createTLSServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTLS } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { resources } from '../api/generated/resources.ts';
import { INGRESS_CONTROLLER } from '../api/ingress-class.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { createInformers } from '../client/index.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { ensureLocalLeaf } from '../pki/index.ts';
import { createIngress } from './ingress.ts';
import { loadRegexCompiler } from './user-regex.ts';

/** How long an answer is waited for that has to come. */
const PATIENCE_MS = 30_000;
const metrics = createMetrics();
const stop = new AbortController();
const servers: Server[] = [];
let cluster: FakeCluster;
let ports: { http?: number; https?: number } = {};
let done: Promise<unknown>;
let directory: string;
let random = 0;
let nextAddress = 1;

async function certificateFor(name: string) {
  const profile = { name, commonName: name, organizations: [], usage: 'server' as const, alternativeNames: [name] };
  return ensureLocalLeaf(directory, profile, systemClock);
}

beforeAll(async () => {
  // Loaded on first use, which takes real time.
  await loadRegexCompiler();
  directory = await mkdtemp(join(tmpdir(), 'ingress-'));
  cluster = new FakeCluster();
  const deps = { clock: systemClock, logger: silentLogger };
  const informers = createInformers(cluster.client, deps);
  const { resolve, promise } = Promise.withResolvers<void>();
  const ingress = createIngress(
    { http: { port: 0, chosen: true }, https: { port: 0, chosen: true }, accessLogPath: join(directory, 'access.log') },
    {
      ...deps,
      informers,
      metrics,
      random: () => random,
      defaultCertificate: () => certificateFor('default.test'),
      listening: (open) => {
        ports = open;
        resolve();
      },
    },
  );
  done = Promise.all([informers, ingress].map((part) => part.run(stop.signal, () => {})));
  cluster.add(resources.ingressclasses, { metadata: { name: 'kube-lite' }, spec: { controller: INGRESS_CONTROLLER } });
  await promise;
});

afterAll(async () => {
  stop.abort();
  await done;
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  for (const type of [resources.ingresses, resources.services, resources.endpointslices, resources.secrets])
    for (const { metadata } of cluster.list<{ metadata: { name: string; namespace?: string } }>(type as never))
      cluster.remove(type as never, metadata as never);
  random = 0;
});

/** A backend on 127.0.0.0/8; `url` of the form ip:port. */
async function serve(listener: RequestListener, server: Server = createServer(listener)): Promise<[string, number]> {
  const address = `127.0.4.${nextAddress++}`;
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return [address, (server.address() as AddressInfo).port];
}

function echo(name: string): RequestListener {
  return (incoming, response) => {
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
    });
    incoming.on('end', () => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(
        JSON.stringify({ name, url: incoming.url, headers: incoming.headers, method: incoming.method, size }),
      );
    });
  };
}

function addService(name: string, endpoints: readonly [string, number][], ready = true): void {
  cluster.add(resources.services, {
    metadata: { name, namespace: 'n' },
    spec: { ports: [{ name: 'web', port: 8888, protocol: 'TCP' }] },
  });
  endpoints.forEach(([address, port], index) => {
    cluster.add(resources.endpointslices, {
      metadata: { name: `${name}-${index}`, namespace: 'n', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'web', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready } }],
    });
  });
}

interface IngressFixture {
  readonly host?: string;
  readonly paths?: Readonly<Record<string, string>>;
  readonly pathType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

async function addIngress(
  name: string,
  { host, paths = {}, pathType = 'Prefix', annotations = {}, spec = {} }: IngressFixture,
) {
  const backend = (service: string) => ({ service: { name: service, port: { number: 8888 } } });
  const entries = Object.entries(paths).map(([path, service]) => ({ path, pathType, backend: backend(service) }));
  const nginx = Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]);
  cluster.add(resources.ingresses, {
    metadata: { name, namespace: 'n', annotations: Object.fromEntries(nginx) },
    spec: {
      ingressClassName: 'kube-lite',
      ...(entries.length === 0
        ? {}
        : { rules: [{ ...(host === undefined ? {} : { host }), http: { paths: entries } }] }),
      ...spec,
    },
  });
  await settle();
}

/** Informers tell in this turn, the table is made in the next. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly json: { name: string; url: string; headers: Record<string, string>; size: number };
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly tls?: string;
}

function ask(
  host: string,
  path: string,
  { method = 'GET', headers = {}, body, tls }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', method, path, headers: { host, ...headers }, agent: false as const };
    const collect = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = text.startsWith('{') ? JSON.parse(text) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, json });
      });
    };
    const outgoing =
      tls === undefined
        ? request({ ...options, port: ports.http }, collect)
        : httpsRequest({ ...options, port: ports.https, servername: tls, rejectUnauthorized: false }, collect);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends bytes as they are; what comes back until the connection ends, is silent for so long, or has all that is waited for. */
function raw(text: string, silenceMs: number, last?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(ports.http ?? 0, '127.0.0.1', () => socket.write(text));
    const chunks: Buffer[] = [];
    const end = (): void => resolve(Buffer.concat(chunks).toString());
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (last !== undefined && Buffer.concat(chunks).includes(last)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', end);
  });
}

test('hosts, wildcards, path types and default backends', async () => {
  for (const name of ['a', 'b', 'c', 'd']) addService(name, [await serve(echo(name))]);
  await addIngress('one', { host: 'x.test', paths: { '/foo': 'a', '/foo/bar': 'b' } });
  await addIngress('two', { host: 'x.test', paths: { '/foo/exact': 'c' }, pathType: 'Exact' });
  await addIngress('three', { host: '*.w.test', paths: { '/': 'b' } });
  await addIngress('four', { spec: { defaultBackend: { service: { name: 'd', port: { name: 'web' } } } } });
  const got = async (host: string, path: string) => (await ask(host, path)).json.name;
  expect(await got('x.test', '/foo')).toBe('a');
  expect(await got('X.test:80', '/foo/')).toBe('a');
  expect(await got('x.test', '/foo/bar/baz?q')).toBe('b');
  expect(await got('x.test', '/foo/exact')).toBe('c');
  expect(await got('x.test', '/foo/exact/')).toBe('a');
  expect(await got('x.test', '/foobar')).toBe('d');
  expect(await got('x.test', '/foo/../other')).toBe('d');
  expect(await got('x.test', '/%66oo/bar')).toBe('b');
  expect(await got('y.w.test', '/')).toBe('b');
  expect(await got('z.y.w.test', '/')).toBe('d');
  const { json } = await ask('x.test', '/foo/a%2Fb?c=d', {
    headers: { 'x-forwarded-for': '6.6.6.6', x_real_ip: '1', 'x-own': 'v' },
  });
  expect(json.url).toBe('/foo/a%2Fb?c=d');
  expect(json.headers).toMatchObject({
    host: 'x.test',
    'x-own': 'v',
    'x-forwarded-for': '127.0.0.1',
    'x-real-ip': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'x.test',
  });
  expect(json.headers).not.toHaveProperty('x_real_ip');
});

test('bodies go through; answers keep their headers; large ones are refused where they are limited', async () => {
  addService('a', [await serve(echo('a'))]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const body = 'x'.repeat(300_000);
  const { json, headers } = await ask('x.test', '/', { method: 'POST', body });
  expect(json.size).toBe(body.length);
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  await addIngress('two', { host: 'y.test', paths: { '/': 'a' }, annotations: { 'proxy-body-size': '100k' } });
  expect(
    (await ask('y.test', '/', { method: 'POST', body, headers: { 'content-length': String(body.length) } })).status,
  ).toBe(413);
  expect((await ask('y.test', '/', { method: 'POST', body, headers: { 'transfer-encoding': 'chunked' } })).status).toBe(
    413,
  );
});

test('404, 503 and 502; another endpoint is asked when one is gone', async () => {
  expect((await ask('nobody.test', '/')).status).toBe(404);
  addService('none', []);
  await addIngress('one', {
    host: 'x.test',
    paths: { '/none': 'none', '/missing': 'missing', '/gone': 'gone', '/half': 'half' },
  });
  expect((await ask('x.test', '/none')).status).toBe(503);
  expect((await ask('x.test', '/missing')).status).toBe(503);
  addService('gone', [['127.0.4.250', 1]]);
  expect((await ask('x.test', '/gone')).status).toBe(502);
  addService('half', [['127.0.4.250', 1], await serve(echo('half'))]);
  for (let i = 0; i < 6; i++) {
    const { status, json } = await ask('x.test', '/half', { method: 'POST', body: 'hello' });
    expect([status, json.size]).toEqual([200, 5]);
  }
});

/** A backend that answers each request with bytes as they are; 'end' at their end closes the connection. */
async function serveBytes(answer: (request: string, number: number) => string): Promise<[string, number]> {
  let requests = 0;
  const server = createNetServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const text = answer(chunk.toString('latin1'), ++requests);
      if (text.endsWith('end')) socket.end(text.slice(0, -3), 'latin1');
      else socket.write(text, 'latin1');
    });
  });
  return serve(() => {}, server as unknown as Server);
}

test.each([
  [
    'chunks and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n\r\n',
    200,
    'hello',
  ],
  ['a body until the end', 'HTTP/1.1 200 OK\r\n\r\nhelloend', 200, 'hello'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhelloend', 200, 'hello'],
  [
    'hints before the answer',
    'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    200,
    'ok',
  ],
  [
    'headers of the connection',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Own\r\nX-Own: 1\r\n\r\nok',
    200,
    'ok',
  ],
  ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok', 502, undefined],
  ['no HTTP', 'hello\r\n\r\n', 502, undefined],
  ['a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 502, undefined],
  ['nothing', 'end', 502, undefined],
])('a backend that answers with %s', async (_, bytes, status, body) => {
  addService('a', [await serveBytes(() => bytes)]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const answer = await ask('x.test', '/');
  expect(answer.status).toBe(status);
  if (body !== undefined) expect(answer.body).toBe(body);
  expect(answer.headers).not.toHaveProperty('x-own');
});

test('an answer that is cut off ends for the client too', async () => {
  addService('a', [await serveBytes(() => 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalfend')]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  expect(await ask('x.test', '/').catch((error: Error) => error)).toBeInstanceOf(Error);
});

test('a connection is used again; when it broke meanwhile what may be done twice is done again', async () => {
  const seen: string[] = [];
  addService('a', [
    await serveBytes((request, number) => {
      seen.push(request.slice(0, request.indexOf(' ')));
      return number === 2 || number === 5 ? 'end' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    }),
  ]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const status = async (method: string) => (await ask('x.test', '/', { method, body: '' })).status;
  // The second one breaks and is repeated as the third; the fourth is a new one; the fifth is not repeated.
  expect([await status('GET'), await status('GET'), await status('GET'), await status('POST')]).toEqual([
    200, 200, 200, 502,
  ]);
  expect(seen).toEqual(['GET', 'GET', 'GET', 'GET', 'POST']);
});

test('a backend that speaks TLS', async () => {
  const { certificatePEM, keyPEM } = await certificateFor('backend.test');
  const server = createTLSServer({ cert: certificatePEM, key: keyPEM }, echo('tls'));
  addService('a', [await serve(() => {}, server as unknown as Server)]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' }, annotations: { 'backend-protocol': 'HTTPS' } });
  for (let i = 0; i < 2; i++) expect((await ask('x.test', '/', { method: 'POST', body: 'abc' })).json.size).toBe(3);
});

test('no request is lost when endpoints come and go', async () => {
  const backends = [await serve(echo('1')), await serve(echo('2'))];
  addService('a', backends);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const results: number[] = [];
  const asking = Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 25; i++)
      results.push((await ask('x.test', '/', i % 2 === 0 ? {} : { method: 'POST', body: 'b' })).status);
  });
  const changing = (async () => {
    for (let i = 0; i < 10; i++) {
      await settle();
      cluster.remove(resources.endpointslices, { namespace: 'n', name: 'a-1' });
      await settle();
      const [address, port] = backends[1] ?? ['', 0];
      cluster.add(resources.endpointslices, {
        metadata: { name: 'a-1', namespace: 'n', labels: { 'kubernetes.io/service-name': 'a' } },
        addressType: 'IPv4',
        ports: [{ name: 'web', port, protocol: 'TCP' }],
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
      });
    }
  })();
  await Promise.all([...asking, changing]);
  expect(results.filter((status) => status !== 200)).toEqual([]);
});

test('canaries by header, cookie and weight', async () => {
  addService('stable', [await serve(echo('stable'))]);
  addService('canary', [await serve(echo('canary'))]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'stable' } });
  await addIngress('two', {
    host: 'x.test',
    paths: { '/': 'canary' },
    annotations: { canary: 'true', 'canary-by-header': 'X-Canary', 'canary-by-cookie': 'beta', 'canary-weight': '30' },
  });
  const got = async (headers: Record<string, string>) => (await ask('x.test', '/', { headers })).json.name;
  random = 0.29;
  expect(await got({})).toBe('canary');
  expect(await got({ 'x-canary': 'never' })).toBe('stable');
  random = 0.31;
  expect(await got({})).toBe('stable');
  expect(await got({ 'x-canary': 'always' })).toBe('canary');
  expect(await got({ cookie: 'x=1; beta=always' })).toBe('canary');
});

test('annotations: rewriting, redirects, sources, CORS, affinity, guards', async () => {
  const [first, second] = [await serve(echo('1')), await serve(echo('2'))];
  addService('a', [first, second]);
  const add = (host: string, path: string, annotations: Record<string, string>) =>
    addIngress(host, { host, paths: { [path]: 'a' }, pathType: 'ImplementationSpecific', annotations });
  await add('rewrite.test', '/api(/|$)(.*)', { 'rewrite-target': '/v1/$2' });
  expect((await ask('rewrite.test', '/api/users/7?x=1')).json.url).toBe('/v1/users/7?x=1');
  await add('ssl.test', '/', { 'force-ssl-redirect': 'true' });
  const redirected = await ask('ssl.test', '/a?b');
  expect([redirected.status, redirected.headers.location]).toEqual([308, `https://ssl.test:0/a?b`]);
  await add('moved.test', '/', { 'permanent-redirect': 'https://new.test/' });
  expect((await ask('moved.test', '/')).status).toBe(301);
  await add('app.test', '/app', { 'app-root': '/app' });
  expect((await ask('app.test', '/')).headers.location).toBe('/app');
  await add('closed.test', '/', { 'whitelist-source-range': '10.0.0.0/8' });
  expect((await ask('closed.test', '/')).status).toBe(403);
  for (const [name, value] of [
    ['auth-tls-secret', 'n/ca'],
    ['auth-url', 'http://$nobody/'],
    ['auth-type', 'digest'],
  ] as const) {
    await add(`${name}.test`, '/', { [name]: value });
    expect((await ask(`${name}.test`, '/')).status, name).toBe(503);
  }
  await add('cors.test', '/', { 'enable-cors': 'true', 'cors-allow-origin': 'https://a.test' });
  const preflight = await ask('cors.test', '/', { method: 'OPTIONS', headers: { origin: 'https://a.test' } });
  expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, 'https://a.test']);
  const foreign = await ask('cors.test', '/', { method: 'OPTIONS', headers: { origin: 'https://b.test' } });
  expect([foreign.status, foreign.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  await add('sub.test', '/', { 'enable-cors': 'true', 'cors-allow-origin': 'https://x.test, https://*.a.test:8443' });
  for (const [origin, isAllowed] of [
    ['https://b.a.test:8443', true],
    ['https://c.b.a.test:8443', false],
    ['https://b.a.test', false],
    ['http://b.a.test:8443', false],
  ] as const) {
    const { headers } = await ask('sub.test', '/', { headers: { origin } });
    expect(headers['access-control-allow-origin'], origin).toBe(isAllowed ? origin : undefined);
  }
  await add('hash.test', '/', { 'upstream-hash-by': '$request_uri' });
  const of = async (path: string) => (await ask('hash.test', path)).json.name;
  const chosen = await Promise.all(Array.from({ length: 12 }, (_, at) => of(`/${at}`)));
  expect(new Set(chosen)).toEqual(new Set(['1', '2']));
  expect(await Promise.all(Array.from({ length: 12 }, (_, at) => of(`/${at}`)))).toEqual(chosen);
  await add('plain.test', '/', {
    'from-to-www-redirect': 'true',
    'temporal-redirect': '/else',
    'temporal-redirect-code': '307',
  });
  const www = await ask('www.plain.test:81', '/a?b');
  expect([www.status, www.headers.location]).toEqual([308, 'http://plain.test:81/a?b']);
  expect((await ask('plain.test', '/')).status).toBe(307);
  await add('vhost.test', '/', { 'upstream-vhost': 'inner.test' });
  expect((await ask('vhost.test', '/')).json.headers['host']).toBe('inner.test');
  await add('sticky.test', '/', { affinity: 'cookie', 'session-cookie-name': 'route' });
  const sticky = await ask('sticky.test', '/');
  const cookie = (sticky.headers['set-cookie'] ?? []).find((entry) => entry.startsWith('route='))?.split(';')[0] ?? '';
  for (let i = 0; i < 4; i++)
    expect((await ask('sticky.test', '/', { headers: { cookie } })).json.name).toBe(sticky.json.name);
});

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

test('users of a Secret, by name and password', async () => {
  addService('a', [await serve(echo('a'))]);
  const annotations = { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Who are you?' };
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' }, annotations });
  expect((await ask('x.test', '/')).status).toBe(503);
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const users = (auth: string) => ({ metadata: { name: 'users', namespace: 'n' }, data: { auth: encode(auth) } });
  cluster.add(resources.secrets, users('foo:$apr1$abcdefgh$bw9gEObk10asetVLiysIZ0\nbar:$6$salt$sha512\n'));
  await settle();
  const refused = await ask('x.test', '/');
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="Who are you?"']);
  for (let i = 0; i < 2; i++) {
    const { status, json } = await ask('x.test', '/', { headers: basic('foo', 'geheim') });
    expect([status, json.headers['authorization']]).toEqual([200, undefined]);
  }
  for (const headers of [basic('foo', 'wrong'), basic('bar', 'x'), basic('nobody', 'geheim'), { authorization: 'x' }])
    expect((await ask('x.test', '/', { headers })).status).toBe(401);
  cluster.change<{ data: unknown }>(resources.secrets as never, { namespace: 'n', name: 'users' }, (object) => {
    object.data = users('foo:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=').data;
  });
  await settle();
  expect((await ask('x.test', '/', { headers: basic('foo', 'geheim') })).status).toBe(401);
  expect((await ask('x.test', '/', { headers: basic('foo', 'password') })).status).toBe(200);
  await addIngress('map', {
    host: 'map.test',
    paths: { '/': 'a' },
    annotations: {
      ...annotations,
      'auth-secret': 'map',
      'auth-secret-type': 'auth-map',
      satisfy: 'any',
      'whitelist-source-range': '192.0.2.0/24',
    },
  });
  cluster.add(resources.secrets, { metadata: { name: 'map', namespace: 'n' }, data: { me: encode('{PLAIN}x') } });
  await settle();
  expect((await ask('map.test', '/')).status).toBe(401);
  expect((await ask('map.test', '/', { headers: basic('me', 'x') })).status).toBe(200);
  await addIngress('any', {
    host: 'any.test',
    paths: { '/': 'a' },
    annotations: { ...annotations, satisfy: 'any', 'whitelist-source-range': '127.0.0.0/8' },
  });
  expect((await ask('any.test', '/')).status).toBe(200);
});

test('another server says who may come in', async () => {
  const asked: IncomingMessage[] = [];
  const guard: RequestListener = (incoming, response) => {
    asked.push(incoming);
    incoming.resume();
    const { cookie = '' } = incoming.headers;
    if (cookie === 'good') response.writeHead(202, { 'X-User': 'me', 'Set-Cookie': 'fresh=1' }).end('welcome');
    else if (cookie === 'bad') response.writeHead(403).end();
    else if (cookie === 'odd') response.writeHead(302, { location: '/' }).end();
    else response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
  };
  addService('a', [await serve(echo('a'))]);
  addService('guard', [['127.0.4.250', 1], await serve(guard)]);
  const url = 'http://guard.n.svc.cluster.local:8888/check?host=$host';
  const headers = { 'auth-url': url, 'auth-response-headers': 'X-User, X-Group' };
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' }, annotations: headers });
  const as = (cookie: string, more: object = {}) =>
    ask('x.test', '/p?q=1', { headers: { cookie, 'x-user': 'root', 'x-group': 'root' }, ...more });
  for (const method of ['POST', 'PUT']) {
    const { status, json, headers: answered } = await as('good', { method, body: 'body' });
    expect([status, json.headers['x-user'], json.headers['x-group'], json.size]).toEqual([200, 'me', undefined, 4]);
    expect(answered['set-cookie']).toEqual(['a=1', 'b=2', 'fresh=1']);
  }
  expect(asked[0]?.url).toBe('/check?host=x.test');
  expect(asked[0]?.headers).toMatchObject({
    host: 'guard.n.svc.cluster.local:8888',
    'x-original-url': 'http://x.test/p?q=1',
    'x-original-method': 'POST',
    'x-auth-request-redirect': '/p?q=1',
  });
  expect(asked[0]?.headers['content-length']).toBeUndefined();
  const unknown = await as('');
  expect([unknown.status, unknown.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  expect((await as('bad')).status).toBe(403);
  expect((await as('odd')).status).toBe(500);
  await addIngress('two', {
    host: 'y.test',
    paths: { '/': 'a' },
    annotations: { ...headers, 'auth-signin': 'https://$host/start' },
  });
  const sent = await ask('y.test', '/p?q=1');
  expect([sent.status, sent.headers.location]).toEqual([
    302,
    'https://y.test/start?rd=http%3A%2F%2Fy.test%2Fp%3Fq%3D1',
  ]);
  await addIngress('gone', {
    host: 'z.test',
    paths: { '/': 'a' },
    annotations: { 'auth-url': 'http://127.0.4.250:1/' },
  });
  expect((await ask('z.test', '/')).status).toBe(500);
});

test('limits of a client: at the same time, and at once', async () => {
  const waiting: (() => void)[] = [];
  addService('a', [await serve((_, response) => waiting.push(() => response.end('{}')))]);
  addService('b', [await serve(echo('b'))]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' }, annotations: { 'limit-connections': '2' } });
  const held = [ask('x.test', '/1'), ask('x.test', '/2')];
  while (waiting.length < 2) await settle();
  expect((await ask('x.test', '/3')).status).toBe(503);
  for (const end of waiting.splice(0)) end();
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
  const next = ask('x.test', '/4');
  while (waiting.length < 1) await settle();
  waiting[0]?.();
  expect((await next).status).toBe(200);
  const annotations = { 'limit-rpm': '1', 'limit-burst-multiplier': '2' };
  await addIngress('two', { host: 'y.test', paths: { '/': 'b' }, annotations });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await ask('y.test', '/')).status);
  expect(statuses).toEqual([200, 200, 200, 503, 503]);
  await addIngress('three', {
    host: 'z.test',
    paths: { '/': 'b' },
    annotations: { ...annotations, 'limit-whitelist': '127.0.0.1' },
  });
  for (let i = 0; i < 5; i++) expect((await ask('z.test', '/')).status).toBe(200);
});

test('which failures another endpoint is asked after', async () => {
  const failing: RequestListener = (incoming, response) => {
    incoming.resume();
    response.writeHead(503).end('{"name":"failing"}');
  };
  addService('a', [await serve(failing), await serve(echo('good'))]);
  addService('bad', [await serve(failing), await serve(failing)]);
  const statuses = async (host: string, method: string) => {
    const got = [];
    for (let i = 0; i < 4; i++) got.push((await ask(host, '/', { method })).status);
    return got.sort();
  };
  await addIngress('one', {
    host: 'x.test',
    paths: { '/': 'a', '/bad': 'bad' },
    annotations: { 'proxy-next-upstream': 'error http_503' },
  });
  expect(await statuses('x.test', 'GET')).toEqual([200, 200, 200, 200]);
  expect(await statuses('x.test', 'POST')).toEqual([200, 200, 503, 503]);
  expect((await ask('x.test', '/bad')).status).toBe(503);
  await addIngress('two', {
    host: 'y.test',
    paths: { '/': 'a' },
    annotations: { 'proxy-next-upstream': 'http_503 non_idempotent' },
  });
  expect(await statuses('y.test', 'POST')).toEqual([200, 200, 200, 200]);
  await addIngress('off', { host: 'off.test', paths: { '/': 'half' }, annotations: { 'proxy-next-upstream': 'off' } });
  addService('half', [['127.0.4.250', 1], ['127.0.4.251', 1], await serve(echo('half'))]);
  const off = [];
  for (let i = 0; i < 3; i++) off.push((await ask('off.test', '/')).status);
  expect(off.sort()).toEqual([200, 502, 502]);
});

test('a Service that answers while the other has no endpoint', async () => {
  addService('empty', []);
  addService('sorry', [await serve(echo('sorry'))]);
  const add = (host: string, service: string) =>
    addIngress(host, { host, paths: { '/': 'empty' }, annotations: { 'default-backend': service } });
  await add('x.test', 'sorry');
  await add('y.test', 'nobody');
  expect((await ask('x.test', '/')).json.name).toBe('sorry');
  expect((await ask('y.test', '/')).status).toBe(503);
});

test('clients of a canary stay with it when they have a cookie', async () => {
  addService('stable', [await serve(echo('stable'))]);
  addService('canary', [await serve(echo('canary'))]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'stable' }, annotations: { affinity: 'cookie' } });
  await addIngress('two', {
    host: 'x.test',
    paths: { '/': 'canary' },
    annotations: { canary: 'true', 'canary-weight': '50' },
  });
  for (const [at, name] of [
    [0.1, 'canary'],
    [0.9, 'stable'],
  ] as const) {
    random = at;
    const first = await ask('x.test', '/');
    expect(first.json.name).toBe(name);
    random = 1 - at;
    const cookie =
      (first.headers['set-cookie'] ?? []).find((one) => one.startsWith('INGRESSCOOKIE='))?.split(';')[0] ?? '';
    expect((await ask('x.test', '/', { headers: { cookie } })).json.name).toBe(name);
  }
});

test('hints before an answer reach clients of HTTP/2', async () => {
  addService('a', [
    await serveBytes(
      () => 'HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ),
  ]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const session = connectHTTP2(`https://127.0.0.1:${ports.https}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/', ':authority': 'x.test' });
  const hints: unknown[] = [];
  stream.on('headers', (headers) => hints.push([headers[':status'], headers['link']]));
  let text = '';
  for await (const chunk of stream) text += chunk;
  session.close();
  expect([text, hints]).toEqual(['ok', [[103, '</s.css>']]]);
});

test('TLS by name, changed while running; HTTP/2; redirect to HTTPS', async () => {
  addService('a', [await serve(echo('a'))]);
  const secret = async (name: string) => {
    const { certificatePEM, keyPEM } = await certificateFor(name);
    const data = {
      'tls.crt': Buffer.from(certificatePEM).toString('base64'),
      'tls.key': Buffer.from(keyPEM).toString('base64'),
    };
    return { metadata: { name: 'cert', namespace: 'n' }, type: 'kubernetes.io/tls', data };
  };
  cluster.add(resources.secrets, await secret('tls.test'));
  await addIngress('one', {
    host: 'tls.test',
    paths: { '/': 'a' },
    spec: { tls: [{ hosts: ['tls.test'], secretName: 'cert' }] },
  });
  const subject = (servername: string) =>
    new Promise<string>((resolve, reject) => {
      const client = httpsRequest(
        {
          host: '127.0.0.1',
          port: ports.https,
          servername,
          rejectUnauthorized: false,
          agent: false,
          headers: { host: servername },
        },
        (response) => {
          resolve(
            String(
              (response.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate()
                .subject.CN,
            ),
          );
          response.resume();
        },
      );
      client.on('error', reject).end();
    });
  expect(await subject('tls.test')).toBe('tls.test');
  expect(await subject('other.test')).toBe('default.test');
  expect((await ask('tls.test', '/')).status).toBe(308);
  expect((await ask('tls.test', '/', { tls: 'tls.test' })).json.headers['x-forwarded-proto']).toBe('https');
  const { data } = await secret('renewed.test');
  cluster.change<{ data: unknown }>(resources.secrets as never, { namespace: 'n', name: 'cert' }, (object) => {
    object.data = data;
  });
  await settle();
  expect(await subject('tls.test')).toBe('renewed.test');
  // Of a client that does not know that there is more than HTTP/1.
  const old = await new Promise<string>((resolve, reject) => {
    const socket = connectTLS({ port: ports.https ?? 0, servername: 'tls.test', rejectUnauthorized: false }, () =>
      socket.write('GET /old HTTP/1.1\r\nHost: tls.test\r\nConnection: close\r\n\r\n'),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
  expect(old).toMatch(/^HTTP\/1\.1 200 OK\r\n.*"url":"\/old"/s);
  const session = connectHTTP2(`https://127.0.0.1:${ports.https}`, {
    servername: 'tls.test',
    rejectUnauthorized: false,
  });
  const stream = session.request({ ':path': '/h2', ':method': 'POST', ':authority': 'tls.test' });
  stream.end('hello');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({
    url: '/h2',
    size: 5,
    headers: { host: 'tls.test' },
  });
});

test('WebSockets go through; other upgrades do not', async () => {
  const backend = await serve((_, response) => response.end('plain'));
  const server = servers.at(-1);
  const sockets = new WebSocketServer({ server: server as Server });
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`got ${message}`)));
  addService('a', [backend]);
  await addIngress('one', { host: 'ws.test', paths: { '/': 'a' } });
  const socket = new WebSocket(`ws://127.0.0.1:${ports.http}/chat`, { headers: { host: 'ws.test' } });
  const message = await new Promise((resolve, reject) => {
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data) => resolve(String(data)));
    socket.on('error', reject);
  });
  socket.close();
  expect(message).toBe('got hello');
  const smuggled = await raw(
    'GET / HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
    PATIENCE_MS,
    'plain',
  );
  expect(smuggled).toContain('200 OK');
  expect(smuggled).toContain('plain');
});

test('gRPC: HTTP/2 to the backend, with trailers', async () => {
  const server = createHTTP2Server();
  server.on('stream', (stream, headers) => {
    if (headers[':path'] === '/svc/Fails') {
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-path': String(headers[':path']) }));
    stream.pipe(stream);
  });
  const backend = await serve(() => {}, server as unknown as Server);
  addService('a', [['127.0.4.250', 1], backend]);
  await addIngress('one', { host: 'grpc.test', paths: { '/': 'a' }, annotations: { 'backend-protocol': 'GRPC' } });
  for (let i = 0; i < 3; i++) {
    const session = connectHTTP2(`https://127.0.0.1:${ports.https}`, {
      servername: 'grpc.test',
      rejectUnauthorized: false,
    });
    const stream = session.request({
      ':path': '/svc/Method',
      ':method': 'POST',
      ':authority': 'grpc.test',
      te: 'trailers',
    });
    let trailers: Record<string, unknown> = {};
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.end('ping');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    session.close();
    expect([Buffer.concat(chunks).toString(), trailers['grpc-status'], trailers['x-path']]).toEqual([
      'ping',
      '0',
      '/svc/Method',
    ]);
  }
  const session = connectHTTP2(`https://127.0.0.1:${ports.https}`, { rejectUnauthorized: false });
  const failing = session.request({ ':path': '/svc/Fails', ':method': 'POST', ':authority': 'grpc.test' });
  failing.end('ping');
  const [status, ended] = await new Promise<[unknown, number]>((resolve) => {
    failing.once('response', (headers, flags) => resolve([headers['grpc-status'], flags & 1]));
  });
  session.close();
  expect([status, ended]).toEqual(['5', 1]);
});

test.each([
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n',
  ],
  ['odd encodings', 'POST / HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: x.test\r\nHost: y.test\r\n\r\n'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['folded headers', 'GET / HTTP/1.1\r\nHost: x.test\r\nA: b\r\n c\r\n\r\n'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : x.test\r\n\r\n'],
  ['above the root', 'GET /../../etc/passwd HTTP/1.1\r\nHost: x.test\r\n\r\n'],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: x.test\n\n'],
  ['an odd host', 'GET / HTTP/1.1\r\nHost: x.test/@evil\r\n\r\n'],
  ['too many bytes of headers', `GET / HTTP/1.1\r\nHost: x.test\r\nA: ${'a'.repeat(40_000)}\r\n\r\n`],
])('refused: %s', async (_, text) => {
  addService('a', [await serve(echo('a'))]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const answer = await raw(text, PATIENCE_MS);
  expect(answer).toMatch(/^HTTP\/1\.1 4(?:00|31) /);
  expect(answer).not.toContain('HTTP/1.1 200');
});

test('mutated requests do no harm, and what hides in a body is never taken for a request', async () => {
  const seen: string[] = [];
  const listener = echo('a');
  addService('a', [
    await serve((incoming, response) => {
      seen.push(incoming.url ?? '');
      listener(incoming, response);
    }),
  ]);
  await addIngress('one', { host: 'x.test', paths: { '/': 'a' } });
  const hidden = 'GET /smuggled HTTP/1.1\r\nHost: x.test\r\n\r\n';
  const seeds = [
    `POST /a HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\nContent-Length: ${hidden.length}\r\n\r\n`,
    'POST /a HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
  ];
  const bytes = ['\r', '\n', '\0', ' ', '\t', ':', ',', ';', '0', '-', '+', '\v', '\x85', '\xa0', 'x'];
  let state = 42;
  const pick = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const mutated = Array.from({ length: 300 }, (_, index) => {
    const seed = seeds[index % 2] ?? '';
    // The request line stays: what follows it is what readers differ about.
    const at = 21 + pick(seed.length - 21);
    const head = `${seed.slice(0, at)}${bytes[pick(bytes.length)]}${seed.slice(at + pick(2))}`;
    return `${head}${index % 2 === 0 ? '' : `${hidden.length.toString(16)}\r\n`}${hidden}\r\n0\r\n\r\n`;
  });
  for (let from = 0; from < mutated.length; from += 50)
    await Promise.all(mutated.slice(from, from + 50).map((one) => raw(one, 1000)));
  expect(seen.filter((url) => url !== '/a')).toEqual([]);
  expect((await ask('x.test', '/fine')).status).toBe(200);
});

test('what happened is counted and logged', async () => {
  addService('a', [await serve(echo('a'))]);
  await addIngress('one', { host: 'log.test', paths: { '/': 'a' } });
  await ask('log.test', '/logged?q=1', { headers: { 'user-agent': 'test "agent"\u00e9' } });
  await expect
    .poll(() => metrics.getSingleMetricAsString('kube_lite_ingress_requests_total'))
    .toContain('ingress="n/one",code="2xx"');
  const line = await waitForLine('/logged');
  expect(line).toMatchObject({
    clientAddress: '127.0.0.1',
    host: 'log.test',
    status: 200,
    ingress: 'n/one',
    method: 'GET',
  });
});

async function waitForLine(text: string): Promise<unknown> {
  for (;;) {
    const lines = (await readFile(join(directory, 'access.log'), 'utf8')).split('\n');
    const found = lines.find((line) => line.includes(text));
    if (found !== undefined) return JSON.parse(found);
    await systemClock.sleep(50);
  }
}
