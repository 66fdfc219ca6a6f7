import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import type { LifecycleHandler, Pod } from '../types.ts';
import { runHook } from './hooks.ts';

let server: Server;
let port = 0;
let seen: (string | undefined)[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization} ${request.headers['user-agent']}`);
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  seen = [];
});
afterAll(() => server.close());

/** What events the hook left. */
async function run(handler: LifecycleHandler): Promise<string[]> {
  const events: string[] = [];
  const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [] } } as unknown as Pod;
  const target = { pod, container: { name: 'c' }, containerID: 'id', podIP: '127.0.0.1' };
  const { runtime } = new FakeRuntime();
  const deps = {
    runtime,
    clock: new FakeClock(),
    hollow: false,
    fellBack: (_: Pod, message: string) => events.push(message),
  };
  await runHook(handler, target as never, deps, new AbortController().signal);
  return events;
}

const httpHeaders = [{ name: 'Authorization', value: 'secret' }];

test('a hook over HTTP has done its work, whatever is answered', async () => {
  expect(await run({ httpGet: { port, path: '/a', httpHeaders } })).toEqual([]);
  expect(seen).toEqual(['/a secret kube-lifecycle/1.36']);
});

test('a hook over HTTPS that meets a server without TLS goes on without it, and without what is secret', async () => {
  expect(await run({ httpGet: { port, path: '/a', scheme: 'HTTPS', httpHeaders } })).toEqual([
    `request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
  ]);
  expect(seen).toEqual(['/a undefined kube-lifecycle/1.36']);
});

test('a hook that nobody answers fails', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port: gone } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  for (const scheme of ['HTTP', 'HTTPS']) {
    await expect(run({ httpGet: { port: gone, scheme } })).rejects.toThrow(
      `HTTP lifecycle hook (/) for Container "c" in Pod "p_n(u)" failed - error: Get "${scheme.toLowerCase()}://127.0.0.1:${gone}/": dial tcp`,
    );
  }
});
