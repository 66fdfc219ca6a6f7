import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTCPServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeRuntime } from '../../cri/testing/fake-runtime.ts';
import type { Container } from '../types.ts';
import type { HTTPHeaders } from './http.ts';
import { httpTarget, runProbe } from './probe.ts';

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

test('a port that has no such name is no failure of what is probed', async () => {
  const target = { container: { name: 'c' } as Container, containerID: 'id', podIP: '127.0.0.1' };
  for (const probe of [{ httpGet: { port: 'web' } }, { tcpSocket: { port: 'web' } }]) {
    await expect(runProbe(probe, target, new FakeRuntime().runtime)).rejects.toThrow(
      'strconv.Atoi: parsing "web": invalid syntax',
    );
  }
});

test('TLS spoken to a server without it', async () => {
  const container = { name: 'c' } as Container;
  const probe = { httpGet: { port, scheme: 'HTTPS' } };
  const result = await runProbe(probe, { container, containerID: 'id', podIP: '127.0.0.1' }, new FakeRuntime().runtime);
  expect(result).toEqual({
    ok: false,
    output: `Get "https://127.0.0.1:${port}/": http: server gave HTTP response to HTTPS client`,
  });
});

test('headers of a probe: each value is sent, an empty one takes a default away', async () => {
  const container = { name: 'c' } as Container;
  const sent = (httpHeaders: { name: string; value: string }[]): HTTPHeaders =>
    httpTarget({ port: 80, httpHeaders }, container, '10.0.0.1', 'kube-probe/1').headers;
  expect(sent([])).toEqual({ connection: 'close', 'user-agent': 'kube-probe/1', accept: '*/*' });
  const given = [
    { name: 'X-A', value: '1' },
    { name: 'x-a', value: '2' },
    { name: 'Accept', value: '' },
    { name: 'User-Agent', value: 'own' },
    { name: 'Host', value: 'a.example' },
    { name: 'host', value: 'b.example' },
  ];
  expect(sent(given)).toEqual({ connection: 'close', 'x-a': ['1', '2'], 'user-agent': ['own'], host: 'a.example' });
});

test('an answer whose lines end as those of scripts do', async () => {
  const script = createTCPServer((socket) => socket.end('HTTP/1.0 200 OK\nContent-Length: 2\n\nok'));
  await new Promise<void>((resolve) => script.listen(0, '127.0.0.1', resolve));
  const probe = { httpGet: { port: (script.address() as AddressInfo).port } };
  const target = { container: { name: 'c' } as Container, containerID: 'id', podIP: '127.0.0.1' };
  expect(await runProbe(probe, target, new FakeRuntime().runtime)).toEqual({ ok: true, output: 'ok' });
  script.close();
});
