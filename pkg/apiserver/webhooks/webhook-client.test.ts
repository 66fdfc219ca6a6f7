import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { createMetrics } from '../../base/metrics.ts';
import { RestClientMetrics } from '../../client/index.ts';
import { unavailable } from '../services/service-endpoint.ts';
import { decodeReview } from './review.ts';
import { FakeWebhook } from './testing/fake-webhook.ts';
import { WebhookClient, type WebhookTarget } from './webhook-client.ts';

let hook: FakeWebhook;
let client: WebhookClient;
const clock = new FakeClock();

beforeAll(async () => {
  hook = await FakeWebhook.open();
  client = new WebhookClient({
    clock,
    requests: new RestClientMetrics(createMetrics()),
    resolve: ({ name }) => {
      if (name !== 'hook') throw unavailable('no endpoints available for service "gone"');
      return { host: '127.0.0.1', port: hook.port };
    },
  });
});

beforeEach(() => {
  hook.handler = (_body, _request, response) => response.end('{"kind":"X","apiVersion":"v1"}');
  hook.paths.length = 0;
});

afterAll(async () => {
  await client.close();
  await hook.close();
});

function post(target: WebhookTarget, maxBytes = 1000, signal?: AbortSignal): Promise<string> {
  return client.post(target, {
    body: '{}',
    timeoutMs: 9_500,
    tellsTimeout: true,
    maxBytes,
    ...(signal === undefined ? {} : { signal }),
  });
}

function byURL(path = '/check'): WebhookTarget {
  return { url: hook.url(path), caBundle: hook.caBundle };
}

test('asks by URL over a connection that is kept', async () => {
  const before = hook.connections;
  for (let i = 0; i < 5; i++) expect(await post(byURL())).toBe('{"kind":"X","apiVersion":"v1"}');
  // The pool may open a second one while it is still putting the first one back.
  expect(hook.connections - before).toBeLessThanOrEqual(2);
  expect(hook.paths).toEqual(Array(5).fill('/check?timeout=10s'));
});

test('asks a Service at an endpoint by its name in the cluster', async () => {
  let host: string | undefined;
  hook.handler = (_body, request, response) => {
    host = request.headers.host;
    response.end('{}');
  };
  await post({ service: { namespace: 'ns', name: 'hook', path: '/mutate', port: 8443 }, caBundle: hook.caBundle });
  expect(host).toBe('hook.ns.svc:8443');
  expect(hook.paths).toEqual(['/mutate?timeout=10s']);
});

test('says what is wrong in the words of upstream', async () => {
  const gone = { namespace: 'ns', name: 'gone' };
  await expect(post({ service: gone })).rejects.toThrow(
    'Post "https://gone.ns.svc:443?timeout=10s": no endpoints available for service "gone"',
  );
  await expect(post({ url: hook.url('/x') })).rejects.toThrow(
    `Post "${hook.url('/x')}?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  );
  const nobody = new URL(hook.url('/'));
  await hook.close();
  hook = await FakeWebhook.open();
  await expect(post({ url: nobody.href, caBundle: hook.caBundle })).rejects.toThrow(
    `Post "${nobody.href}?timeout=10s": dial tcp 127.0.0.1:${nobody.port}: connect: connection refused`,
  );
});

test.each([
  [500, 'text/plain', 'boom\n', 'an error on the server ("boom") has prevented the request from succeeding'],
  [500, 'application/json', '{}', 'an error on the server ("unknown") has prevented the request from succeeding'],
  [404, 'text/plain', 'x', 'the server could not find the requested resource'],
  [302, 'text/plain', '', 'the server responded with the status code 302 but did not return more information'],
  [403, 'application/json', '{"kind":"Status","status":"Failure","message":"go away"}', 'go away'],
  [500, 'text/plain', 'x'.repeat(100_000), 'an error on the server ("") has prevented the request from succeeding'],
])('an answer with status %i of %s', async (code, type, body, message) => {
  hook.handler = (_body, _request, response) => {
    response.writeHead(code, { 'content-type': type, location: 'https://example.com/' }).end(body);
  };
  await expect(post(byURL())).rejects.toThrow(message);
});

test('an answer may not be longer than asked for, and ends when nobody reads it', async () => {
  let ended: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  hook.handler = (_body, _request, response) => {
    response.once('close', () => ended?.());
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  await expect(post(byURL(), 1_000_000)).rejects.toThrow('the response is longer than 1000000 bytes');
  await closed;
});

test('a webhook that does not answer is given up', async () => {
  const asked = new Promise<void>((resolve) => {
    hook.handler = () => resolve();
  });
  const message = `Post "${hook.url('/check')}?timeout=10s": context deadline exceeded`;
  const given = expect(post(byURL())).rejects.toThrow(message);
  await asked;
  await clock.advance(9_500);
  await given;
});

test('a caller that leaves ends the request', async () => {
  const controller = new AbortController();
  hook.handler = () => controller.abort();
  await expect(post(byURL(), 10, controller.signal)).rejects.toThrow('context canceled');
});

test.each([
  ['<html>', "couldn't get version/kind; json parse error"],
  ['null', "couldn't get version/kind; json parse error"],
  ['{"apiVersion":"v1"}', `Object 'Kind' is missing in '{"apiVersion":"v1"}'`],
  ['{"kind":"X"}', `Object 'apiVersion' is missing in '{"kind":"X"}'`],
])('%s is no review', (text, message) => {
  expect(() => decodeReview(text)).toThrow(message);
});
