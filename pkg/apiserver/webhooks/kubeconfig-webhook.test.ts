import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { createMetrics } from '../../base/metrics.ts';
import { RestClientMetrics } from '../../client/index.ts';
import { KubeconfigWebhook } from './kubeconfig-webhook.ts';
import { FakeWebhook } from './testing/fake-webhook.ts';

let hook: FakeWebhook;
let webhook: KubeconfigWebhook;
let clock: FakeClock;
beforeEach(async () => {
  hook = await FakeWebhook.open();
  clock = new FakeClock();
  const ca = Buffer.from(hook.caBundle, 'base64').toString();
  webhook = new KubeconfigWebhook(
    { server: hook.url('/review?x=1'), ca, token: () => 'secret' },
    { clock, requests: new RestClientMetrics(createMetrics()) },
  );
});
afterEach(async () => {
  await hook.close();
  await webhook.close();
});

test('posts to the URL of the kubeconfig with its credentials', async () => {
  let seen: string | undefined;
  hook.handler = (_body, request, response) => {
    seen = `${request.method} ${request.url} ${request.headers.authorization}`;
    response.end('{"a":1}');
  };
  expect(await webhook.post({}, 1000)).toEqual({ a: 1 });
  expect(seen).toBe('POST /review?x=1 Bearer secret');
});

describe('what is no answer', () => {
  test.each([
    ['no JSON', 200, '<html>', 'the response is no JSON'],
    ['no object', 200, '[1]', 'the response is no object'],
    ['a refusal', 500, 'boom', 'an error on the server ("boom") has prevented the request from succeeding'],
    ['a flood', 200, 'x'.repeat(1_100_000), 'the response is longer than 1048576 bytes'],
  ])('%s', async (_name, code, body, message) => {
    hook.handler = (_body, _request, response) => response.writeHead(code).end(body);
    await expect(webhook.post({}, 1000)).rejects.toThrow(`Post "${hook.url('/review?x=1')}": ${message}`);
  });

  test('silence', async () => {
    const asked = Promise.withResolvers<void>();
    hook.handler = () => asked.resolve();
    const waiting = expect(webhook.post({}, 1000)).rejects.toThrow('context deadline exceeded');
    await asked.promise;
    await clock.advance(1000);
    await waiting;
  });
});
