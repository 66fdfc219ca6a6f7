import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import type { Container } from '../types.ts';
import { runProbe } from './probe.ts';

let server: Server;
let port = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    const redirects: Readonly<Record<string, string>> = {
      '/near': '/ok',
      '/far': 'http://192.0.2.1/',
      '/loop': '/loop',
    };
    const location = redirects[request.url ?? ''];
    if (location !== undefined) response.writeHead(302, { location }).end('moved');
    else if (request.url === '/ok') response.end('fine');
    else if (request.url === '/none') response.writeHead(304).end();
    else response.writeHead(500).end('broken');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

test.each<[string, object]>([
  ['/ok', { ok: true, output: 'fine' }],
  ['/near', { ok: true, output: 'fine' }],
  ['/far', { ok: true, output: 'moved', warning: 'Probe terminated redirects, Response body: moved' }],
  ['/none', { ok: true, output: '', warning: 'Probe terminated redirects, Response body: ' }],
  ['/loop', { ok: false, output: 'Get "http://127.0.0.1:PORT/loop": stopped after 10 redirects' }],
  ['/broken', { ok: false, output: 'HTTP probe failed with statuscode: 500' }],
])('an HTTP probe of %s', async (path, expected) => {
  const container = { name: 'c', ports: [{ name: 'web', containerPort: port }] } as unknown as Container;
  const probe = { httpGet: { path, port: 'web' } };
  const result = await runProbe(probe, { container, containerID: 'id', podIP: '127.0.0.1' }, new FakeRuntime().runtime);
  expect({ ...result, output: result.output.replace(String(port), 'PORT') }).toEqual(expected);
});
