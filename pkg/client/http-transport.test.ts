import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { systemClock } from '../base/clock.ts';
import { createClient } from './api-client.ts';
import { HTTPTransport, type HTTPTransportOptions } from './http-transport.ts';
import { JSONLines } from './json-lines.ts';
import { watchURL } from './request-path.ts';

let server: Server | undefined;
let transport: HTTPTransport | undefined;
afterEach(async () => {
  await transport?.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(handler: Parameters<typeof createServer>[1], more: Partial<HTTPTransportOptions> = {}) {
  server = createServer(handler);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const options = { server: `http://127.0.0.1:${port}/prefix`, token: () => 'secret', ...more };
  transport = new HTTPTransport(options, { clock: systemClock });
  return createClient(transport);
}

test('sends method, path, query, content type and token', async () => {
  const seen: string[] = [];
  const client = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    seen.push([method, url, headers['content-type'], headers['authorization'], body].join(' '));
    response.end('{}');
  });
  const key = { namespace: 'a', name: 'x' };
  await client.get(resources.pods, key);
  await client.create(resources.nodes, { metadata: { name: 'n' } });
  await client.patch(resources.deployments, key, 'apply', {}, { fieldManager: 'me', force: true });
  await client.delete(resources.pods, key, { gracePeriodSeconds: 0 });
  await client.list(resources.pods, { labelSelector: 'a=b', limit: 5 });
  expect(seen).toEqual([
    'GET /prefix/api/v1/namespaces/a/pods/x  Bearer secret ',
    'POST /prefix/api/v1/nodes application/json Bearer secret {"metadata":{"name":"n"},"apiVersion":"v1","kind":"Node"}',
    'PATCH /prefix/apis/apps/v1/namespaces/a/deployments/x?fieldManager=me&force=true application/apply-patch+yaml Bearer secret {}',
    'DELETE /prefix/api/v1/namespaces/a/pods/x application/json Bearer secret {"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0}',
    'GET /prefix/api/v1/pods?labelSelector=a%3Db&limit=5  Bearer secret ',
  ]);
});

test.each([
  [
    '{"kind":"Status","reason":"NotFound","code":404,"message":"m"}',
    404,
    { reason: 'NotFound', code: 404, message: 'm' },
  ],
  ['bad gateway', 502, { code: 502, message: 'bad gateway' }],
  ['{}', 503, { code: 503, message: 'HTTP 503' }],
])('answer %s is a StatusError', async (body, code, expected) => {
  const client = await serve((_, response) => {
    response.writeHead(code).end(body);
  });
  await expect(client.get(resources.nodes, { name: 'x' })).rejects.toMatchObject(expected);
});

test('a watch yields events as they come and throws the ERROR event', async () => {
  const client = await serve((_, response) => {
    response.write('{"type":"ADDED","object":{"metadata":{"name":"one"}}}\n{"type":"MODI');
    setImmediate(() => {
      response.write('FIED","object":{"metadata":{"name":"two"}}}\n');
      response.end('{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}\n');
    });
  });
  const seen: string[] = [];
  const watching = (async () => {
    for await (const event of client.watch(resources.pods, {}, new AbortController().signal)) {
      seen.push(`${event.type} ${event.object.metadata.name}`);
    }
  })();
  await expect(watching).rejects.toMatchObject({ reason: 'Expired' });
  expect(seen).toEqual(['ADDED one', 'MODIFIED two']);
});

test('watches are broken off when the link was cut; who stops one is told of no error', async () => {
  const client = await serve((_, response) => {
    response.write('{"type":"ADDED","object":{"metadata":{"name":"one"}}}\n');
  });
  const follow = async (seen: () => void, signal: AbortSignal): Promise<void> => {
    for await (const { type } of client.watch(resources.pods, {}, signal)) if (type === 'ADDED') seen();
  };
  const stop = new AbortController();
  await expect(follow(() => transport?.breakWatches(), stop.signal)).rejects.toThrow('the link to the server was cut');
  await follow(() => stop.abort(), stop.signal);
});

test('objects can come without managedFields, alone, in lists and in watches', async () => {
  const object = { metadata: { name: 'x', managedFields: [{ manager: 'm' }] } };
  const client = await serve(
    ({ url = '' }, response) => {
      if (url.includes('watch=true')) response.end(`${JSON.stringify({ type: 'ADDED', object })}\n`);
      else response.end(JSON.stringify(url.endsWith('/nodes') ? { metadata: {}, items: [object, object] } : object));
    },
    { dropManagedFields: true },
  );
  const plain = { metadata: { name: 'x' } };
  expect(await client.get(resources.nodes, { name: 'x' })).toEqual(plain);
  expect((await client.list(resources.nodes)).items).toEqual([plain, plain]);
  for await (const event of client.watch(resources.nodes, {}, new AbortController().signal)) {
    expect(event.object).toEqual(plain);
  }
});

test('requests share the connections that they may have; watches have their own', async () => {
  const held: (() => void)[] = [];
  const client = await serve(
    (request, response) => {
      if (request.url?.includes('watch=true') === true)
        response.write('{"type":"BOOKMARK","object":{"metadata":{}}}\n');
      else held.push(() => response.end('{}'));
    },
    { maxConnections: 2 },
  );
  const stop = new AbortController();
  const watches = [1, 2, 3].map(() => client.watch(resources.pods, {}, stop.signal)[Symbol.asyncIterator]());
  for (const watch of watches) expect((await watch.next()).value.type).toBe('BOOKMARK');
  const answers = Promise.all([1, 2, 3, 4, 5].map((i) => client.get(resources.nodes, { name: `n${i}` })));
  await expect.poll(() => held.length).toBe(2);
  const open = await new Promise((resolve) => server?.getConnections((_, count) => resolve(count)));
  expect(open).toBe(2 + 3);
  for (let i = 0; i < 5; i++) {
    await expect.poll(() => held.length).toBeGreaterThan(0);
    held.shift()?.();
  }
  expect(await answers).toHaveLength(5);
  stop.abort();
});

test('JSONLines puts pieces together', () => {
  const lines = new JSONLines();
  const pieces = ['{"a"', ':', '1}\n{"b":"é', '"}\n\n', '{"c":3}\n'].map((text) => new TextEncoder().encode(text));
  expect(pieces.flatMap((piece) => lines.push(piece))).toEqual([{ a: 1 }, { b: 'é' }, { c: 3 }]);
});

test('watch parameters', () => {
  const query = { namespace: 'a', resourceVersion: '7', allowWatchBookmarks: true, fieldSelector: '' };
  expect(watchURL(resources.pods, query)).toBe(
    '/api/v1/namespaces/a/pods?watch=true&resourceVersion=7&allowWatchBookmarks=true',
  );
});
