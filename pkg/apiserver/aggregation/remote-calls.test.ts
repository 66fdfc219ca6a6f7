import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceType } from '../../api/object.ts';
import { systemClock } from '../../base/clock.ts';
import type { WatchEvent } from '../../client/client.ts';
import { FakeWebhook } from '../webhooks/testing/fake-webhook.ts';
import { RemoteCalls } from './remote-calls.ts';
import type { RemoteService, RemoteServices } from './remote-services.ts';

const user = { username: 'carl', groups: ['controllers'] };
const type: ResourceType = { group: 'g.io', version: 'v1', resource: 'things', kind: 'Thing', namespaced: true };
const never = new AbortController().signal;
const thing = (name: string) => ({ metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: '7' } });

describe('calls to another server', () => {
  let server: FakeWebhook;
  let calls: RemoteCalls;
  let remote: RemoteService;

  beforeAll(async () => {
    server = await FakeWebhook.open();
    remote = {
      name: 'v1.g.io',
      group: 'g.io',
      version: 'v1',
      priority: { group: 1, version: 1 },
      service: { namespace: 'ns', name: 'hook', port: 443 },
      serverName: 'hook.ns.svc',
      isAvailable: true,
      agent: new Agent({ ca: Buffer.from(server.caBundle, 'base64') }),
    };
    const services = { find: (group: string) => (group === 'g.io' ? remote : undefined) } as unknown as RemoteServices;
    calls = new RemoteCalls({
      services,
      clock: systemClock,
      resolve: () => ({ host: '127.0.0.1', port: server.port }),
    });
  });

  afterAll(() => server.close());

  const list = () => calls.request(remote, { verb: 'list', type }, user, never);
  const answerWith = (body: unknown, code = 200) => {
    server.handler = (_body, _request, response) =>
      response.writeHead(code).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  test('say who asks, and have their objects say what they are', async () => {
    let asked: unknown;
    server.handler = (_body, request, response) => {
      asked = [request.method, request.url, request.headers['x-remote-user'], request.headers['x-remote-group']];
      response.end(JSON.stringify({ metadata: { resourceVersion: '9' }, items: [thing('a')] }));
    };
    expect(await list()).toMatchObject({ items: [{ apiVersion: 'g.io/v1', kind: 'Thing', ...thing('a') }] });
    expect(asked).toEqual(['GET', '/apis/g.io/v1/things', 'carl', 'controllers']);
    expect(calls.serverOf(type)).toBe(remote);
    expect(calls.serverOf({ ...type, group: 'apps' })).toBeUndefined();
  });

  test('a path is read as it is', async () => {
    answerWith({ kind: 'MetricValueList', items: [] });
    const path = '/apis/g.io/v1/namespaces/n/pods/*/requests?labelSelector=app%3Dx';
    expect(await calls.get(remote, path, user, never)).toEqual({ kind: 'MetricValueList', items: [] });
    expect(server.paths.at(-1)).toBe(path);
    answerWith('<html>', 502);
    await expect(calls.get(remote, path, user, never)).rejects.toMatchObject({ code: 502, message: '<html>' });
  });

  test('a draft says what it is', async () => {
    answerWith(thing('a'), 201);
    await calls.request(remote, { verb: 'create', type, namespace: 'n', body: thing('a') }, user, never);
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toEqual({ apiVersion: 'g.io/v1', kind: 'Thing', ...thing('a') });
  });

  test.each([
    [
      'a refusal',
      { reason: 'NotFound', message: 'no thing' },
      404,
      { code: 404, reason: 'NotFound', message: 'no thing' },
    ],
    ['a refusal without a Status', '<html>', 404, { code: 404, reason: '', message: '<html>' }],
    ['a refusal that lies', { reason: 7, message: {}, code: 'x' }, 409, { code: 409, reason: '' }],
    ['no JSON', '<html>', 200, { code: 500, reason: 'InternalError' }],
    ['no list', [], 200, { code: 500 }],
    ['items that are none', { metadata: {}, items: { a: 1 } }, 200, { code: 500 }],
    ['an object without a uid', { metadata: {}, items: [{ metadata: { name: 'x' } }] }, 200, { code: 500 }],
    [
      'owners that are none',
      { metadata: {}, items: [{ metadata: { ...thing('a').metadata, ownerReferences: [null] } }] },
      200,
      { code: 500 },
    ],
  ])('%s is an error', async (_title, body, code, expected) => {
    answerWith(body, code);
    await expect(list()).rejects.toMatchObject(expected);
  });

  test('one that is not available is not asked', async () => {
    const before = server.paths.length;
    const call = calls.request({ ...remote, isAvailable: false }, { verb: 'list', type }, user, never);
    await expect(call).rejects.toMatchObject({
      code: 503,
      message: 'the server is currently unable to handle the request',
    });
    expect(server.paths.length).toBe(before);
  });

  test('a watch with the initial events begins with a list', async () => {
    server.handler = (_body, request, response) => {
      if (!request.url?.includes('watch=true'))
        return response.end(JSON.stringify({ metadata: { resourceVersion: '9' }, items: [thing('a')] }));
      response.write(`${JSON.stringify({ type: 'MODIFIED', object: thing('a') })}\n`);
      return response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })}\n`);
    };
    const seen: WatchEvent[] = [];
    const follow = async () => {
      const query = {
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
      } as const;
      for await (const event of calls.watch(remote, type, query, user, never)) seen.push(event);
    };
    await expect(follow()).rejects.toMatchObject({ code: 410, reason: 'Expired' });
    expect(seen.map((event) => event.type)).toEqual(['ADDED', 'BOOKMARK', 'MODIFIED']);
    expect(seen[1]?.object.metadata).toMatchObject({ resourceVersion: '9' });
    expect(server.paths.at(-1)).toBe('/apis/g.io/v1/things?watch=true&allowWatchBookmarks=true&resourceVersion=9');
  });

  test.each([
    ['is no JSON', '<html>\n'],
    ['has no object', '{"type":"ADDED"}\n'],
    ['is of no known type', '{"type":"CHANGED","object":{}}\n'],
    ['never ends', 'x'.repeat(9 * 1024 * 1024)],
  ])('an event that %s ends the watch', async (_title, text) => {
    server.handler = (_body, _request, response) => response.end(text);
    const events = calls.watch(remote, type, { resourceVersion: '1' }, user, never);
    await expect(events.next()).rejects.toMatchObject({ name: 'StatusError' });
  });
});
