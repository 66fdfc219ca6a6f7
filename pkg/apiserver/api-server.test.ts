import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect as connectHTTP2 } from 'node:http2';
import {
  Agent,
  createServer,
  request as httpsRequest,
  type Server as KubeletServer,
  type RequestOptions,
} from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { KubeObject } from '../api/object.ts';
import { decodeMessage, encodeMessage, openEnvelope, schemaOfKind, sealEnvelope } from '../api/protobuf/index.ts';
import { builtinSchema } from '../api/schema/builtin.ts';
import { builtinDefinitions } from '../api/scheme.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { createClient } from '../client/index.ts';
import { ensurePKI, type PKI } from '../pki/index.ts';
import { MemoryStore } from '../storage/memory/memory-store.ts';
import { type APIServer, createAPIServer, createWatchCache } from './index.ts';
import { decodeContinue, encodeContinue } from './registry/continue-token.ts';

const admin = { username: 'admin', groups: ['system:masters'] };
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

interface Reply {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any answer
  readonly body: any;
}

let pki: PKI;
let directory: string;
let server: APIServer;
let done: Promise<void>;
let kubelet: KubeletServer;
const stop = new AbortController();

function open(options: RequestOptions, body?: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
    const headers = { ...options.headers, ...(body === undefined ? {} : { 'content-length': bytes.length }) };
    const outgoing = httpsRequest({ host: '127.0.0.1', port: server.port, agent, ...options, headers }, resolve);
    outgoing.once('error', reject);
    outgoing.end(bytes);
  });
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await open(
    { method, path, headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers } },
    body,
  );
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const plain = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  const text = plain.toString();
  const json = response.headers['content-type']?.startsWith('application/json');
  const { headers: received, statusCode: code = 0 } = response;
  return { code, headers: received, text, bytes: plain, body: json ? JSON.parse(text) : undefined };
}

/** Reads `count` events of a watch, then ends it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into any event
async function watch(path: string, count: number, opened?: () => Promise<unknown>): Promise<any[]> {
  const response = await open({ path });
  const events = [];
  await opened?.();
  let rest = '';
  for await (const chunk of response) {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(JSON.parse(line));
    if (events.length >= count) break;
  }
  response.destroy();
  return events;
}

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  metadata: { name, labels },
  data,
});
const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }], ...spec },
});

async function namespace(name: string): Promise<string> {
  await call('POST', '/api/v1/namespaces', { metadata: { name } });
  return `/api/v1/namespaces/${name}`;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apiserver-'));
  pki = await ensurePKI(join(directory, 'pki'), {
    clock: systemClock,
    nodeName: 'n1',
    nodeAddresses: ['127.0.0.1'],
    serverNames: ['localhost'],
    serviceIPs: ['10.43.0.1'],
    clusterDomain: 'cluster.local',
  });
  const { certificatePEM: cert, keyPEM: key } = pki.apiserver;
  const store = new MemoryStore();
  const definitions = builtinDefinitions();
  const cache = createWatchCache(store, definitions);
  server = createAPIServer(
    {
      bindAddress: '127.0.0.1',
      port: 0,
      advertiseAddress: '192.0.2.1',
      serviceCIDRs: ['10.43.0.0/16'],
      nodePortRange: [30000, 30010],
      tls: { cert, key },
      flags: { profiling: 'true', 'event-ttl': '3600s' },
    },
    {
      store,
      definitions,
      authenticator: {
        authenticate: async ({ headers }) => ({
          user: headers.authorization === undefined ? admin : { username: headers.authorization.slice(7), groups: [] },
        }),
      },
      authorizer: {
        authorize: ({ user, verb }) => {
          const isAllowed = user.username === 'patcher' ? verb === 'patch' : user.username !== 'nobody';
          return { decision: isAllowed ? 'allow' : 'no-opinion', reason: '' };
        },
      },
      admission: [],
      kubelet: { cert: pki.apiserverKubeletClient.certificatePEM, key: pki.apiserverKubeletClient.keyPEM },
      clock: systemClock,
      logger: silentLogger,
      metrics: createMetrics(),
    },
    cache,
  );
  kubelet = createServer({ cert, key }, (request, response) => {
    if (request.url?.includes('missing')) response.writeHead(404).end('no such container\n');
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(`log of ${request.url}\n`);
  });
  kubelet.on('upgrade', (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
    socket.write(`${request.url}\n`);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => {
    done = server.component.run(stop.signal, resolve);
  });
});

afterAll(async () => {
  stop.abort();
  agent.destroy();
  await done;
  kubelet.closeAllConnections();
  await new Promise((resolve) => kubelet.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

describe('objects', () => {
  test('live through create, get, update, patch and delete', async () => {
    const at = `${await namespace('life')}/configmaps`;
    const created = await call('POST', at, configMap('a', { k: '1' }));
    expect(created.code).toBe(201);
    expect(created.body).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'life' },
      data: { k: '1' },
    });
    const { resourceVersion, uid } = created.body.metadata;
    expect((await call('GET', `${at}/a`)).body).toEqual(created.body);
    const same = await call('PUT', `${at}/a`, configMap('a', { k: '1' }));
    expect(same.body.metadata.resourceVersion).toBe(resourceVersion);
    const updated = await call('PUT', `${at}/a`, configMap('a', { k: '2' }));
    expect(updated.body.metadata).toMatchObject({ uid });
    expect(Number(updated.body.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
    const stale = await call('PUT', `${at}/a`, { ...created.body, data: {} });
    expect(stale.body).toMatchObject({ code: 409, reason: 'Conflict' });
    const patched = await call('PATCH', `${at}/a`, { data: { l: '3' } });
    expect(patched.body.data).toEqual({ k: '2', l: '3' });
    const deleted = await call('DELETE', `${at}/a`);
    expect(deleted.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid },
    });
    expect((await call('GET', `${at}/a`)).body).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'configmaps "a" not found',
    });
  });

  test('get generated names, refuse duplicates and bad input', async () => {
    const at = `${await namespace('input')}/configmaps`;
    const generated = await call('POST', at, { metadata: { generateName: 'x-' } });
    expect(generated.body.metadata.name).toMatch(/^x-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    await call('POST', at, configMap('a'));
    expect((await call('POST', at, configMap('a'))).body).toMatchObject({ code: 409, reason: 'AlreadyExists' });
    expect((await call('POST', at, configMap('Not Valid'))).body).toMatchObject({ code: 422, reason: 'Invalid' });
    expect((await call('POST', at, '{"metadata":')).body).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect((await call('POST', at, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'b' } })).code).toBe(400);
    expect((await call('POST', at, 'x'.repeat(3 * 1024 * 1024 + 1))).body).toMatchObject({
      code: 413,
      reason: 'RequestEntityTooLarge',
    });
    expect((await call('POST', at, {}, { 'content-type': 'application/vnd.kubernetes.protobuf' })).code).toBe(400);
    expect((await call('POST', at, {}, { 'content-type': 'text/plain' })).code).toBe(415);
    const strict = await call('POST', `${at}?fieldValidation=Strict`, { ...configMap('c'), nope: 1 });
    expect(strict.body.message).toContain('unknown field "nope"');
    const warned = await call('POST', at, { ...configMap('c'), nope: 1 });
    expect(warned.headers.warning).toBe('299 - "unknown field \\"nope\\""');
    const evil = await call('POST', at, '{"metadata":{"name":"d"},"data":{"__proto__":"x","constructor":"y"}}');
    expect(evil.text).toContain('"__proto__":"x"');
  });

  test('names that are taken are told as upstream tells them', async () => {
    const at = `${await namespace('taken')}/configmaps`;
    await call('POST', at, { metadata: { name: 'a', finalizers: ['x.example/hold'] } });
    const both = await call('POST', at, { metadata: { name: 'a', generateName: 'a-' } });
    expect(both.body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists, the server was not able to generate a unique name for the object',
      details: { name: 'a', kind: 'configmaps', retryAfterSeconds: 1 },
    });
    await call('DELETE', `${at}/a`);
    expect((await call('POST', at, configMap('a'))).body.message).toBe(
      'object is being deleted: configmaps "a" already exists',
    );
  });

  test('an apply that creates needs the right to create', async () => {
    const at = `${await namespace('rights')}/configmaps`;
    const apply = { 'content-type': 'application/apply-patch+yaml', authorization: 'Bearer patcher' };
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    expect((await call('PATCH', `${at}/a?fieldManager=m`, body, apply)).body).toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: User "patcher" cannot create resource "configmaps" in API group "" in the namespace "rights"',
    });
    await call('POST', at, configMap('a'));
    expect((await call('PATCH', `${at}/a?fieldManager=m`, body, apply)).code).toBe(200);
  });

  test('an apply is about the object of its path', async () => {
    const at = `${await namespace('place')}/configmaps`;
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const apply = async (metadata: object) => {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
      return (await call('PATCH', `${at}/a?fieldManager=m`, body, headers)).body.message;
    };
    const noName = 'the name of the object (a based on URL) was undeterminable: name must be provided';
    expect(await apply({})).toBe(noName);
    expect(await apply({ name: 'b' })).toBe('the name of the object (b) does not match the name on the URL (a)');
    await call('POST', at, configMap('a'));
    expect(await apply({ name: 'b' })).toBe('the name of the object (b) does not match the name on the URL (a)');
    expect(await apply({ name: 'a', namespace: 'other' })).toBe(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
    expect(await apply({})).toBeUndefined();
  });

  test('a PUT is about the object of its path', async () => {
    const at = `${await namespace('puts')}/configmaps`;
    await call('POST', at, configMap('a'));
    const refusal = async (metadata: object) => (await call('PUT', `${at}/a`, { metadata })).body.message;
    expect(await refusal({})).toBe('the name of the object (a based on URL) was undeterminable: name must be provided');
    expect(await refusal({ name: 'b' })).toBe('the name of the object (b) does not match the name on the URL (a)');
    expect(await refusal({ name: 'b', namespace: 'other' })).toBe(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
    expect(await refusal({ name: 'a', resourceVersion: 'x' })).toBe('strconv.ParseUint: parsing "x": invalid syntax');
  });

  test('patches may not take the name away, nor hold unknown or duplicate members when asked', async () => {
    const at = `${await namespace('patches')}/configmaps`;
    await call('POST', at, configMap('a', { k: '1' }));
    expect((await call('PATCH', `${at}/a`, { metadata: null })).body).toMatchObject({
      code: 400,
      message: 'the name of the object (a based on URL) was undeterminable: name must be provided',
    });
    const duplicate = '{"data":{"k":"2","k":"3"},"x":1}';
    const warned = await call('PATCH', `${at}/a`, duplicate);
    expect(warned.headers.warning).toBe('299 - "duplicate field \\"data.k\\"", 299 - "unknown field \\"x\\""');
    expect(warned.body.data).toEqual({ k: '3' });
    const strict = await call('PATCH', `${at}/a?fieldValidation=Strict`, duplicate);
    expect(strict.code).toBe(422);
    expect(strict.body.message).toContain(': strict decoding error: duplicate field "data.k", unknown field "x"');
    const json = { 'content-type': 'application/json-patch+json' };
    expect(
      (await call('PATCH', `${at}/a`, [{ op: 'test', path: '/data/k', value: '3', no: 1 }], json)).headers.warning,
    ).toBe('299 - "json patch unknown field \\"[0].no\\""');
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  name: a\n';
    expect((await call('PATCH', `${at}/a?fieldManager=m&fieldValidation=Strict`, text, apply)).body.message).toBe(
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 5: key "name" already set in map',
    );
    expect((await call('PATCH', `${at}/a?fieldManager=m`, text, apply)).headers.warning).toBe(
      '299 - "line 5: key \\"name\\" already set in map"',
    );
  });

  test('changes of a status are told about the status only', async () => {
    const at = `${await namespace('status-warnings')}/services`;
    const spec = { ports: [{ port: 1 }], type: 'LoadBalancer', externalName: 'a.b' };
    const ignored = '299 - "spec.externalName is ignored when spec.type is not \\"ExternalName\\""';
    expect((await call('POST', at, { metadata: { name: 'a' }, spec })).headers.warning).toBe(ignored);
    const status = { loadBalancer: { ingress: [{ ip: 'FD00::1' }] } };
    const changed = await call('PATCH', `${at}/a/status`, { status });
    expect(changed.code).toBe(200);
    expect(changed.headers.warning).toMatch(/^299 - "status\.loadBalancer\.ingress\[0\]: IPv6 address [^,]*$/);
    await call('DELETE', `${at}/a`);
  });

  test('a status that may only replace a certain state has to say which', async () => {
    const at = '/apis/storage.k8s.io/v1/volumeattachments';
    const attachment = {
      metadata: { name: 'a' },
      spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'v' } },
    };
    const { resourceVersion } = (await call('POST', at, attachment)).body.metadata;
    const write = (metadata: object) =>
      call('PUT', `${at}/a/status`, {
        ...attachment,
        metadata: { name: 'a', ...metadata },
        status: { attached: true },
      });
    expect((await write({})).body).toMatchObject({
      code: 422,
      message: expect.stringContaining('metadata.resourceVersion: Invalid value: 0: must be specified for an update'),
    });
    expect((await write({ resourceVersion })).body.status).toEqual({ attached: true });
    expect((await write({ uid: 'other' })).body.message).toContain('Key: /registry/volumeattachments/a,');
  });

  test('owner references that are there twice are dropped', async () => {
    const at = `${await namespace('owners')}/configmaps`;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u1' };
    const created = await call('POST', at, { metadata: { name: 'a', ownerReferences: [owner, owner] } });
    expect(created.headers.warning).toContain('ownerReferences contains duplicate entries; API server dedups');
    expect(created.body.metadata.ownerReferences).toEqual([owner]);
    const patched = await call('PATCH', `${at}/a`, { metadata: { ownerReferences: [owner, owner] } });
    expect(patched.headers.warning).toContain('duplicate entries after mutating admission happens;');
    expect(patched.body.metadata.ownerReferences).toEqual([owner]);
  });

  test('dry runs change nothing', async () => {
    const at = `${await namespace('dry')}/configmaps`;
    const created = await call('POST', `${at}?dryRun=All`, configMap('a'));
    expect(created.code).toBe(201);
    expect(created.body.metadata.resourceVersion).toBeUndefined();
    expect((await call('GET', `${at}/a`)).code).toBe(404);
  });

  test('stay until their finalizers are gone', async () => {
    const at = `${await namespace('final')}/configmaps`;
    await call('POST', at, { metadata: { name: 'a', finalizers: ['x.example/hold'] } });
    const begun = await call('DELETE', `${at}/a`, { propagationPolicy: 'Foreground' });
    expect(begun.body.metadata.finalizers).toEqual(['x.example/hold', 'foregroundDeletion']);
    expect(begun.body.metadata.deletionTimestamp).toBeDefined();
    expect((await call('GET', `${at}/a`)).code).toBe(200);
    await call('PATCH', `${at}/a`, { metadata: { finalizers: null } });
    expect((await call('GET', `${at}/a`)).code).toBe(404);
  });

  test('writers see their own writes, also concurrent ones', async () => {
    const at = `${await namespace('writes')}/configmaps`;
    await call('POST', at, configMap('n', {}));
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await call('PATCH', `${at}/n`, { data: { [`k${i}`]: 'x' } });
        expect((await call('GET', `${at}/n`)).body.data[`k${i}`]).toBe('x');
      }),
    );
    expect(Object.keys((await call('GET', `${at}/n`)).body.data)).toHaveLength(20);
  });
});

test('an apply names its object by a string', async () => {
  const path = '/api/v1/namespaces/default/configmaps/by-string?fieldManager=m';
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: { toString: 1 }, uid: { toString: 1 } } };
  const { code, body } = await call('PATCH', path, config, { 'content-type': 'application/apply-patch+yaml' });
  expect([code, body.message]).toEqual([400, expect.stringContaining('name must be provided')]);
});

describe('lists', () => {
  test('page over one snapshot', async () => {
    const at = `${await namespace('pages')}/configmaps`;
    for (const name of ['a', 'b', 'c', 'd']) await call('POST', at, configMap(name));
    const first = await call('GET', `${at}?limit=2`);
    expect(first.body.items.map((item: KubeObject) => item.metadata.name)).toEqual(['a', 'b']);
    expect(first.body.metadata.remainingItemCount).toBe(2);
    expect(first.body.items[0].kind).toBeUndefined();
    await call('DELETE', `${at}/c`);
    await call('POST', at, configMap('ca'));
    const second = await call('GET', `${at}?limit=9&continue=${first.body.metadata.continue}`);
    expect(second.body.items.map((item: KubeObject) => item.metadata.name)).toEqual(['c', 'd']);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    const exact = await call(
      'GET',
      `${at}?resourceVersion=${first.body.metadata.resourceVersion}&resourceVersionMatch=Exact`,
    );
    expect(exact.body.items).toHaveLength(4);
  });

  test('page over a snapshot that only the store still knows', async () => {
    const at = `${await namespace('old-pages')}/configmaps`;
    for (const name of ['a', 'b', 'c', 'd'])
      await call('POST', at, configMap(name, {}, { half: name < 'c' ? '1' : '2' }));
    const first = await call('GET', `${at}?limit=1`);
    await call('DELETE', `${at}/c`);
    await call('POST', at, configMap('ca'));
    // More than the cache remembers of one resource.
    await call('POST', at, configMap('big'));
    for (let i = 0; i < 24; i++) await call('PUT', `${at}/big`, configMap('big', { x: String(i).repeat(500_000) }));
    const next = async (query: string) => (await call('GET', `${at}?${query}`)).body;
    const namesOf = ({ items }: { items: KubeObject[] }): string[] => items.map(({ metadata }) => metadata.name);
    const second = await next(`limit=2&continue=${first.body.metadata.continue}`);
    expect(namesOf(second)).toEqual(['b', 'c']);
    expect(second.metadata).toEqual({
      resourceVersion: first.body.metadata.resourceVersion,
      continue: expect.any(String),
    });
    const third = await next(`limit=2&continue=${second.metadata.continue}`);
    expect(namesOf(third)).toEqual(['d']);
    expect(third.metadata.continue).toBeUndefined();
    const exact = `resourceVersion=${first.body.metadata.resourceVersion}&resourceVersionMatch=Exact`;
    expect(namesOf(await next(exact))).toEqual(['a', 'b', 'c', 'd']);
    expect(namesOf(await next(`${exact}&labelSelector=half%3D2`))).toEqual(['c', 'd']);
    expect(namesOf(await next(`${exact}&limit=1&labelSelector=half%3D2`))).toEqual(['c']);
  });

  test('that began long ago go on in the newest state only', async () => {
    const at = `${await namespace('late-pages')}/configmaps`;
    for (const name of ['a', 'b', 'c']) await call('POST', at, configMap(name));
    const first = await call('GET', `${at}?limit=1`);
    await call('DELETE', `${at}/b`);
    const token = decodeContinue(first.body.metadata.continue);
    const old = encodeContinue({ ...token, beganMs: Date.now() - 10 * 60_000 });
    const refused = await call('GET', `${at}?limit=1&continue=${old}`);
    expect(refused.body).toMatchObject({ code: 410, reason: 'Expired' });
    const rest = await call('GET', `${at}?limit=5&continue=${refused.body.metadata.continue}`);
    expect(rest.body.items.map((item: KubeObject) => item.metadata.name)).toEqual(['c']);
  });

  test('select by label and field, as tables and metadata, compressed', async () => {
    const at = `${await namespace('select')}/configmaps`;
    for (let i = 0; i < 40; i++)
      await call('POST', at, configMap(`c${i}`, { x: 'v'.repeat(4000) }, { even: String(i % 2 === 0) }));
    expect((await call('GET', `${at}?labelSelector=even%3Dtrue`)).body.items).toHaveLength(20);
    expect((await call('GET', `${at}?fieldSelector=metadata.name%3Dc7`)).body.items).toHaveLength(1);
    const packed = await call('GET', at, undefined, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.body.items).toHaveLength(40);
    const table = await call('GET', `${at}?limit=1`, undefined, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    expect(table.body).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
    });
    const partial = await call('GET', at, undefined, {
      accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    });
    expect(partial.body.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'c0' } });
    const yaml = await call('GET', `${at}/c0`, undefined, { accept: 'application/yaml' });
    expect(yaml.text).toContain('kind: ConfigMap');
    expect((await call('GET', at, undefined, { accept: 'application/cbor' })).code).toBe(406);
  });

  test('end in time', async () => {
    const at = `${await namespace('late')}/configmaps`;
    const late = await call('GET', `${at}?resourceVersion=999999999&timeout=20ms`);
    expect(late.code).toBe(504);
    expect(late.body).toMatchObject({
      reason: 'Timeout',
      message: 'Timeout: request did not complete within the allotted timeout',
    });
    expect((await call('GET', `${at}?timeout=x`)).body).toMatchObject({ reason: 'BadRequest', code: 400 });
  });
});

describe('protobuf', () => {
  const type = 'application/vnd.kubernetes.protobuf';
  const both = { accept: `${type},application/json`, 'content-type': type };
  const seal = (apiVersion: string, kind: string, object: Record<string, unknown>): Buffer => {
    const schema = schemaOfKind(apiVersion, kind);
    if (schema === undefined) throw new Error(`no schema of ${kind}`);
    return sealEnvelope(apiVersion, kind, encodeMessage(schema, object));
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any answer
  const opened = (bytes: Uint8Array): any => {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    const schema = schemaOfKind(apiVersion, kind);
    return { apiVersion, kind, ...(schema === undefined ? {} : decodeMessage(schema, raw)) };
  };

  test('goes in and comes out', async () => {
    const at = `${await namespace('protobuf')}/configmaps`;
    const made = await call('POST', at, seal('v1', 'ConfigMap', configMap('a', { k: 'v' })), both);
    expect(made).toMatchObject({ code: 201, headers: { 'content-type': type } });
    expect(opened(made.bytes)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } });
    const read = await call('GET', `${at}/a`);
    expect(read.body).toMatchObject({ metadata: { namespace: 'protobuf' }, data: { k: 'v' } });
    expect((await call('GET', `${at}/a`, undefined, both)).bytes).toEqual(made.bytes);
    const next = { ...read.body, data: { k: 'w' } };
    expect(opened((await call('PUT', `${at}/a`, seal('v1', 'ConfigMap', next), both)).bytes).data).toEqual({ k: 'w' });
    const again = await call('POST', at, seal('v1', 'ConfigMap', configMap('a')), both);
    expect(again.code).toBe(409);
    expect(opened(again.bytes)).toMatchObject({ kind: 'Status', reason: 'AlreadyExists', details: { name: 'a' } });
    const broken = await call('POST', at, Buffer.from('k8s\0\x0a\xff'), { 'content-type': type });
    expect(broken.body).toMatchObject({ code: 400, reason: 'BadRequest' });
    const options = seal('v1', 'DeleteOptions', { preconditions: { uid: 'other' } });
    expect((await call('DELETE', `${at}/a`, options, both)).code).toBe(409);
    expect(opened((await call('DELETE', `${at}/a`, seal('v1', 'DeleteOptions', {}), both)).bytes)).toMatchObject({
      kind: 'Status',
      status: 'Success',
    });
  });

  test('of subresources', async () => {
    const at = await namespace('protobuf-sub');
    await call('POST', `${at}/pods`, pod('p'));
    const binding = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } };
    expect((await call('POST', `${at}/pods/p/binding`, seal('v1', 'Binding', binding), both)).code).toBe(201);
    const eviction = { metadata: { name: 'p' }, deleteOptions: { gracePeriodSeconds: 0 } };
    const evicted = await call('POST', `${at}/pods/p/eviction`, seal('policy/v1', 'Eviction', eviction), both);
    expect(opened(evicted.bytes)).toMatchObject({ kind: 'Status', status: 'Success' });
    const sets = '/apis/apps/v1/namespaces/protobuf-sub/replicasets';
    await call('POST', sets, {
      metadata: { name: 'r' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: pod('').spec },
      },
    });
    const scale = { metadata: { name: 'r', namespace: 'protobuf-sub' }, spec: { replicas: 3 } };
    const scaled = await call('PUT', `${sets}/r/scale`, seal('autoscaling/v1', 'Scale', scale), both);
    expect(opened(scaled.bytes)).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
  });

  test('of lists, large and as metadata', async () => {
    const at = `${await namespace('protobuf-list')}/configmaps`;
    const data = { text: 'x'.repeat(100_000) };
    for (let i = 0; i < 12; i++) await call('POST', at, configMap(`c${i}`, data));
    for (const headers of [both, { ...both, 'accept-encoding': 'gzip' }]) {
      const list = await call('GET', at, undefined, headers);
      expect(list.headers['content-type']).toBe(type);
      const { kind, raw } = openEnvelope(list.bytes);
      const { metadata, items } = decodeMessage(builtinSchema('core.v1.ConfigMapList'), raw) as unknown as {
        metadata: { resourceVersion: string };
        items: KubeObject[];
      };
      expect(kind).toBe('ConfigMapList');
      expect(Number(metadata.resourceVersion)).toBeGreaterThan(0);
      expect(items.map((item) => [item.metadata.name, item['data']])).toHaveLength(12);
      expect(items[11]).toMatchObject({ metadata: { name: 'c9' }, data });
    }
    const page = await call('GET', `${at}?limit=2`, undefined, both);
    const { metadata } = decodeMessage(builtinSchema('core.v1.ConfigMapList'), openEnvelope(page.bytes).raw);
    expect(metadata).toMatchObject({ remainingItemCount: 10 });
    const accept = `${type};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;
    const partial = openEnvelope((await call('GET', at, undefined, { accept })).bytes);
    expect(partial).toMatchObject({ apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList' });
    const one = accept.replace('MetadataList', 'Metadata');
    expect(opened((await call('GET', `${at}/c1`, undefined, { accept: one })).bytes)).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'c1' },
    });
  });

  test('of watches', async () => {
    const at = `${await namespace('protobuf-watch')}/configmaps`;
    await call('POST', at, configMap('a'));
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const response = await open({ path: `${at}?${query}`, headers: { accept: type } });
    expect(response.headers['content-type']).toBe(`${type};stream=watch`);
    await call('POST', at, configMap('b'));
    await call('DELETE', `${at}/a`);
    const events: string[] = [];
    let rest = Buffer.alloc(0);
    for await (const chunk of response) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length > 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
        const frame = rest.subarray(4, 4 + rest.readUInt32BE(0));
        rest = rest.subarray(4 + frame.length);
        const typeLength = frame[1] ?? 0;
        const object = opened(frame.subarray(frame.indexOf('k8s\0')));
        events.push(`${frame.toString('utf8', 2, 2 + typeLength)} ${object.metadata.name ?? 'none'}`);
      }
      if (events.length >= 4) break;
    }
    response.destroy();
    expect(events).toEqual(['ADDED a', 'BOOKMARK none', 'ADDED b', 'DELETED a']);
  });
});

describe('watches', () => {
  test('begin in the past, go on live and follow the selector', async () => {
    const at = `${await namespace('watch')}/configmaps`;
    const { resourceVersion } = (await call('GET', at)).body.metadata;
    await call('POST', at, configMap('a', {}, { app: 'x' }));
    const events = await watch(
      `${at}?watch=1&resourceVersion=${resourceVersion}&labelSelector=app%3Dx`,
      3,
      async () => {
        await call('PATCH', `${at}/a`, { metadata: { labels: { app: 'y' } } });
        await call('POST', at, configMap('b', {}, { app: 'x' }));
      },
    );
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED a',
      'DELETED a',
      'ADDED b',
    ]);
    expect(events[1].object.metadata.labels).toEqual({ app: 'x' });
  });

  test('send the initial state and mark its end', async () => {
    const at = `${await namespace('initial')}/configmaps`;
    await call('POST', at, configMap('a'));
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await watch(`${at}?${query}`, 2);
    expect(events[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
    expect(events[1]).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
  });

  test('hand out shared objects in-process', async () => {
    const at = `${await namespace('inproc')}/configmaps`;
    const client = createClient(server.transport(admin));
    const ended = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { type, object } of client.watch(resources.configmaps, { namespace: 'inproc' }, ended.signal)) {
        seen.push(`${type} ${object.metadata.name}`);
        if (type === 'DELETED') ended.abort();
      }
    })();
    const created = await client.create(resources.configmaps, { metadata: { name: 'a', namespace: 'inproc' } });
    expect(await client.get(resources.configmaps, { namespace: 'inproc', name: 'a' })).toBe(created);
    expect(server.reader.get(resources.configmaps, { namespace: 'inproc', name: 'a' })).toBe(created);
    await call('DELETE', `${at}/a`);
    await watching;
    expect(seen).toEqual(['ADDED a', 'DELETED a']);
    const nobody = createClient(server.transport({ username: 'nobody', groups: [] }));
    await expect(nobody.list(resources.pods)).rejects.toMatchObject({ status: { reason: 'Forbidden' } });
  });
});

describe('pods', () => {
  test('are bound, scaled down by grace and evicted within their budget', async () => {
    const at = `${await namespace('pods')}/pods`;
    await call('POST', at, pod('p'));
    const binding = (more: object) => ({ target: { kind: 'Node', name: 'n1' }, ...more });
    const wrong = await call(
      'POST',
      `${at}/p/binding?fieldValidation=Strict`,
      binding({ metadata: { name: 'p' }, x: 1 }),
    );
    expect(wrong.body).toMatchObject({ code: 400, message: expect.stringContaining('unknown field "x"') });
    const another = await call('POST', `${at}/p/binding`, binding({ metadata: { name: 'p', uid: 'other' } }));
    expect(another.body).toMatchObject({ code: 409, message: expect.stringContaining('UID in precondition: other') });
    const older = '/api/v1/namespaces/pods/bindings';
    expect((await call('POST', older, {})).body).toMatchObject({ code: 500, message: 'target.name: Required value' });
    expect((await call('POST', older, { target: { name: 'n1' } })).body.message).toBe('Name parameter required.');
    const bound = await call('POST', `${at}/p/binding`, {
      metadata: { name: 'p' },
      target: { kind: 'Node', name: 'n1' },
    });
    expect(bound.code).toBe(201);
    expect((await call('GET', `${at}?fieldSelector=spec.nodeName%3Dn1`)).body.items).toHaveLength(1);
    expect(
      (await call('POST', `${at}/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n2' } })).body
        .reason,
    ).toBe('Conflict');
    await call('PATCH', `${at}/p/status`, {
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await call('PATCH', `${at}/p`, { metadata: { labels: { app: 'x' } } });
    const budgets = '/apis/policy/v1/namespaces/pods/poddisruptionbudgets';
    await call('POST', budgets, {
      metadata: { name: 'b' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
    });
    await call('PATCH', `${budgets}/b/status`, {
      status: { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    });
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } };
    expect((await call('POST', `${at}/p/eviction`, eviction)).body).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      details: { causes: [{ reason: 'DisruptionBudget' }] },
    });
    const elsewhere = { ...eviction, metadata: { name: 'p', namespace: 'other' } };
    expect((await call('POST', `${at}/p/eviction`, elsewhere)).code).toBe(400);
    expect((await call('POST', `${at}/p/eviction`, { ...eviction, apiVersion: 'policy/v1beta1' })).code).toBe(429);
    expect((await call('POST', `${at}/p/eviction`, { ...eviction, kind: 'Pod', apiVersion: 'v1' })).body.message).toBe(
      'Pod in version "v1" cannot be handled as a Eviction: converting (v1.Pod) to (policy.Eviction): unknown conversion',
    );
    const unnamed = { apiVersion: 'policy/v1', kind: 'Eviction' };
    expect((await call('POST', `${at}/p/eviction`, unnamed)).code).toBe(400);
    expect((await call('PATCH', `${budgets}/b/status`, { status: { disruptionsAllowed: -1 } })).code).toBe(422);
    await call('PATCH', `${budgets}/b/status`, { status: { disruptionsAllowed: 1 } });
    expect((await call('POST', `${at}/p/eviction`, eviction)).code).toBe(201);
    expect((await call('GET', `${budgets}/b`)).body.status).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', observedGeneration: 1 }],
    });
    expect((await call('GET', `${at}/p`)).body.metadata.deletionGracePeriodSeconds).toBe(30);
    await call('DELETE', `${at}/p?gracePeriodSeconds=0`);
    expect((await call('GET', `${at}/p`)).code).toBe(404);
  });

  test('have logs and streams at their kubelet', async () => {
    const at = `${await namespace('streams')}/pods`;
    const { port } = kubelet.address() as AddressInfo;
    await call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    };
    await call('PATCH', '/api/v1/nodes/n1/status', { status });
    await call('POST', at, pod('p', { nodeName: 'n1' }));
    expect((await call('GET', `${at}/p/log?follow=true&tailLines=3`)).text).toBe(
      'log of /containerLogs/streams/p/main?follow=true&tailLines=3\n',
    );
    expect((await call('GET', `${at}/p/log?container=other`)).body).toMatchObject({
      code: 400,
      message: 'container other is not valid for pod p',
    });
    await call('POST', at, pod('missing', { nodeName: 'n1' }));
    expect((await call('GET', `${at}/missing/log`)).body).toMatchObject({ code: 404, message: 'no such container' });
    const echoed = await new Promise<string>((resolve, reject) => {
      const outgoing = httpsRequest({
        host: '127.0.0.1',
        port: server.port,
        rejectUnauthorized: false,
        method: 'POST',
        path: `${at}/p/exec?command=sh&stdin=true&stdout=true`,
        headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
      });
      outgoing.once('error', reject);
      outgoing.once('upgrade', (response, socket) => {
        let text = `${response.headers.upgrade} `;
        socket.on('data', (chunk) => {
          text += String(chunk);
          if (text.endsWith('hello')) socket.end();
        });
        socket.on('close', () => resolve(text));
        socket.write('hello');
      });
      outgoing.end();
    });
    expect(echoed).toBe('SPDY/3.1 /exec/streams/p/main?input=1&output=1&command=sh\nhello');
    const refused = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
      const options = {
        host: '127.0.0.1',
        port: server.port,
        rejectUnauthorized: false,
        method: 'POST',
        path: `${at}/gone/exec?command=sh`,
        headers,
      };
      httpsRequest(options, (response) => resolve(response.statusCode))
        .once('error', reject)
        .end();
    });
    expect(refused).toBe(404);
  });
});

describe('services', () => {
  test('get addresses and ports, and give them back', async () => {
    const at = `${await namespace('addresses')}/services`;
    const service = (name: string, spec: object = {}) => ({
      metadata: { name },
      spec: { type: 'NodePort', ports: [{ port: 80 }], ...spec },
    });
    const first = await call('POST', at, service('a'));
    const { clusterIP, ports } = first.body.spec;
    expect(clusterIP).toMatch(/^10\.43\./);
    expect(ports[0].nodePort).toBeGreaterThanOrEqual(30000);
    expect((await call('POST', at, service('b', { clusterIP }))).code).toBe(422);
    expect((await call('POST', at, service('b', { ports: [{ port: 80, nodePort: ports[0].nodePort }] }))).code).toBe(
      422,
    );
    await call('DELETE', `${at}/a`);
    const again = await call(
      'POST',
      at,
      service('b', { clusterIP, ports: [{ port: 80, nodePort: ports[0].nodePort }] }),
    );
    expect(again.code).toBe(201);
    for (let i = 0; i < 30; i++) await call('POST', at, service(`f${i}`, { ports: [{ port: -1 }] }));
    for (let i = 0; i < 10; i++) expect((await call('POST', at, service(`g${i}`))).code).toBe(201);
    expect((await call('POST', at, service('full'))).code).toBe(500);
    expect((await call('GET', '/api/v1/namespaces/default/services/kubernetes')).body.spec.clusterIP).toBe('10.43.0.1');
  });

  test('scale whatever has replicas', async () => {
    await namespace('scale');
    const at = '/apis/apps/v1/namespaces/scale/deployments';
    const template = { metadata: { labels: { app: 'x' } }, spec: pod('x').spec };
    await call('POST', at, {
      metadata: { name: 'd' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template },
    });
    const scaled = await call('PATCH', `${at}/d/scale`, { spec: { replicas: 4 } });
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 4 }, status: { selector: 'app=x' } });
    expect((await call('GET', `${at}/d`)).body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 4 } });
    const unknown = await call('PATCH', `${at}/d/scale`, { spec: { replicas: 4, copies: 5 } });
    expect(unknown.headers.warning).toBe('299 - "unknown field \\"spec.copies\\""');
    for (const [query, spec] of [
      ['?fieldValidation=Strict', { copies: 5 }],
      ['', { replicas: 'x' }],
    ]) {
      const refused = await call('PATCH', `${at}/d/scale${query}`, { spec });
      expect(refused.body).toMatchObject({ code: 422, details: { causes: [{ field: 'patch' }] } });
    }
    const put = await call('PUT', `${at}/d/scale?fieldValidation=Strict`, { ...scaled.body, copies: 5 });
    expect(put.body.message).toContain('strict decoding error: unknown field "copies"');
    const merged = await call('PATCH', `${at}/d/scale`, '{"spec":{"$patch":"delete"}}', {
      'content-type': 'application/strategic-merge-patch+json',
    });
    expect(merged.body.spec).toEqual({});
    const sets = at.replace('deployments', 'statefulsets');
    expect((await call('GET', `${at}/none/scale`)).body.message).toBe('deployments.apps "none" not found');
    expect((await call('GET', `${sets}/none/scale`)).body.message).toBe('statefulsets.apps "none" not found');
    expect((await call('PATCH', `${at}/none/scale`, {})).body.message).toBe('deployments.apps "none" not found');
  });
});

describe('everything else', () => {
  test('is discovered, over HTTP/2 as well', async () => {
    const session = connectHTTP2(server.url, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/apis' });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    session.close();
    expect(JSON.parse(text).groups.map((group: { name: string }) => group.name)).toContain('apps');
    expect((await call('GET', '/api/v1')).body.resources.length).toBeGreaterThan(30);
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const aggregated = await call('GET', '/apis', undefined, { accept });
    expect(aggregated.body.kind).toBe('APIGroupDiscoveryList');
    const again = await open({ path: '/apis', headers: { accept, 'if-none-match': aggregated.headers.etag ?? '' } });
    again.resume();
    expect(again.statusCode).toBe(304);
    expect((await call('GET', '/openapi/v3')).body.paths).toHaveProperty(['apis/apps/v1']);
  });

  test('is described in the form that is asked for, under an address of its own', async () => {
    const protobuf = { accept: 'application/vnd.kubernetes.protobuf' };
    expect(openEnvelope((await call('GET', '/apis/apps/v1', undefined, protobuf)).bytes).kind).toBe('APIResourceList');
    expect(openEnvelope((await call('GET', '/apis', undefined, protobuf)).bytes).kind).toBe('APIGroupList');
    for (const path of ['/version', '/api', '/api/v1', '/apis/apps/v1']) {
      expect((await call('POST', path, {})).body).toMatchObject({ code: 405, reason: 'MethodNotAllowed' });
    }
    expect((await call('GET', '/openapi/v2', undefined, { accept: 'text/html' })).code).toBe(406);
    const { serverRelativeURL } = (await call('GET', '/openapi/v3')).body.paths['apis/apps/v1'];
    expect((await call('GET', serverRelativeURL)).headers['cache-control']).toBe('public, immutable');
    const media = 'application/com.github.proto-openapi.spec.v3';
    const compact = await call('GET', serverRelativeURL, undefined, { accept: `${media}@v1.0+protobuf` });
    expect([compact.code, compact.headers['content-type']]).toEqual([200, `${media}.v1.0+protobuf`]);
    expect(new TextDecoder().decode(compact.bytes.subarray(2, 7))).toBe('3.0.0');
    expect(compact.headers.etag).toBe((await call('GET', serverRelativeURL)).headers.etag);
    const either = { accept: `application/json;q=0.8,${media}.v1.0+protobuf` };
    expect((await call('GET', serverRelativeURL, undefined, either)).bytes).toEqual(compact.bytes);
    const old = await call('GET', '/openapi/v3/apis/apps/v1?hash=OLD');
    expect([old.code, old.headers.location]).toEqual([301, serverRelativeURL]);
    const table = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };
    expect((await call('GET', '/api/v1/nodes?includeObject=All', undefined, table)).body).toMatchObject({
      code: 400,
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });

  test('tells people what it is and how it is set', async () => {
    const page = (path: string, accept: string) => call('GET', path, undefined, { accept });
    const object = (kind: string, version: string) => `application/json;as=${kind};g=config.k8s.io;v=${version}`;
    const { code, headers, text } = await page('/flagz', 'application/json, */*');
    expect([code, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(text).toMatch(
      /^\napiserver flagz\nWarning: This endpoint is not .*\n\nevent-ttl: 3600s\nprofiling: true\n$/,
    );
    expect((await call('GET', '/statusz')).text).toMatch(
      /\nStarted: .*\nUp: 0 hr 0\d min \d\d sec\nGo version: v.*\nBinary version: 1\.36\.\d+\nEmulation version: 1\.36\nPaths: .*\/healthz \/livez \/metrics /,
    );
    const status = await page('/statusz', object('Statusz', 'v1beta1'));
    expect(status.body).toMatchObject({
      kind: 'Statusz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: { name: 'apiserver' },
      emulationVersion: '1.36',
      paths: expect.arrayContaining(['/healthz', '/metrics']),
    });
    expect(status.headers.warning).toBeUndefined();
    const old = await page('/flagz', object('Flagz', 'v1alpha1'));
    expect(old.body.flags).toEqual({ profiling: 'true', 'event-ttl': '3600s' });
    expect(old.headers.warning).toContain('This version of the flagz endpoint is deprecated.');
    for (const accept of ['application/json', object('Statusz', 'v1beta1'), object('Flagz', 'v1'), 'text/plain;v=v1'])
      expect((await page('/flagz', accept)).body).toMatchObject({
        code: 406,
        message: 'only the following media types are accepted: application/json, application/yaml, text/plain',
      });
  });

  test('counts how checks of health end', async () => {
    await call('GET', '/livez');
    const { text } = await call('GET', '/metrics/slis');
    expect(text).toContain('kubernetes_healthcheck{name="ping",type="livez"} 1\n');
    expect(text).toMatch(/^kubernetes_healthchecks_total\{name="etcd",type="livez",status="success"\} [1-9]/m);
    expect(text).not.toContain('apiserver_request_total');
  });

  test('has HEAD of pages, not of resources, and no names that lead elsewhere', async () => {
    const codes = async (...paths: string[]) =>
      Promise.all(
        paths.map(async (path) => {
          const response = await open({ method: 'HEAD', path });
          response.resume();
          return response.statusCode;
        }),
      );
    expect(await codes('/healthz', '/metrics')).toEqual([200, 200]);
    expect(await codes('/version', '/api', '/api/v1', '/api/v1/namespaces', '/api/v1/namespaces/x')).toEqual(
      Array(5).fill(405),
    );
    expect((await call('GET', '/api/v1/namespaces/%2e%2e')).body).toMatchObject({
      code: 400,
      message: `Name parameter invalid: "..": may not be '..'`,
    });
  });

  test('answers health, version, metrics and what is not there', async () => {
    expect((await call('GET', '/readyz')).text).toBe('ok');
    expect((await call('GET', '/readyz?verbose&exclude=ping')).text).toContain('[+]ping excluded: ok');
    expect((await call('GET', '/livez/ping')).text).toBe('ok');
    expect((await call('GET', '/version')).body.gitVersion).toMatch(/^v1\.36/);
    expect((await call('GET', '/metrics')).text).toContain('apiserver_request_total');
    const nowhere = await call('GET', '/nowhere');
    expect([nowhere.code, nowhere.text]).toEqual([404, '404 page not found\n']);
    expect((await call('GET', '/api/v1/widgets')).body).toMatchObject({ code: 404, reason: 'NotFound' });
    for (const path of ['/api/v9', '/apis/apps/v9', '/apis/nobody.example/v1'])
      expect((await call('POST', path, {})).code).toBe(404);
    for (const path of ['/api/v1', '/apis/apps/v1', '/api']) expect((await call('POST', path, {})).code).toBe(405);
    const untold = await call('GET', '/api/v1/watch/?x=1');
    expect([untold.code, untold.text]).toEqual([
      500,
      'Internal Server Error: "/api/v1/watch/?x=1": failed to create RequestInfo: unable to determine kind and namespace from url, /api/v1/watch/?x=1\n',
    ]);
    expect((await call('PATCH', '/api/v1/namespaces/default/pods', {})).body).toMatchObject({
      code: 405,
      reason: 'MethodNotAllowed',
    });
    const refused = await call('GET', '/api/v1/nodes', undefined, { authorization: 'Bearer nobody' });
    expect(refused.body).toMatchObject({
      code: 403,
      message: 'nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope',
    });
  });
});
