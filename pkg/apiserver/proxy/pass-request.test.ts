import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { isStatusError, newStatus, StatusError } from '../../api/errors.ts';
import type { Exchange } from '../http/request-handler.ts';
import { type PassOptions, passRequest } from './pass-request.ts';
import { Backends } from './testing/backends.ts';
import { Upgrades } from './upgrades.ts';

const backends = new Backends();
afterEach(() => backends.close());

/** A front door that hands everything on to `port`. */
async function front(port: number, options: PassOptions = {}): Promise<number> {
  const upgrades = new Upgrades();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = { request, response, head: { auditID: 'audit' } } as unknown as Exchange;
    const target = { scheme: 'http', host: '127.0.0.1', port, path: request.url ?? '/' } as const;
    passRequest(exchange, upgrades, target, options).catch((error: unknown) => {
      response.writeHead(isStatusError(error) ? error.code : 599).end(String(error));
    });
  };
  const server = createServer(handle);
  server.on('upgrade', (request, socket, head) => handle(request, upgrades.expect(request, socket, head)));
  return backends.listen(server);
}

function ask(
  port: number,
  path = '/',
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const { body, ...rest } = init;
    const request = httpRequest({ host: '127.0.0.1', port, path, agent: false, ...rest }, resolve);
    request.once('error', reject);
    request.end(body);
  });
}

describe('a request that is passed on', () => {
  test('keeps method, path and body, loses credentials and headers of the connection', async () => {
    let seen: IncomingMessage | undefined;
    const backend = await backends.listen(
      createServer(async (request, response) => {
        seen = request;
        response.writeHead(207, {
          'X-Drop': '1',
          'X-Keep': '2',
          Connection: 'X-Drop',
          'Access-Control-Allow-Origin': '*',
        });
        response.end(`got ${await text(request)}`);
      }),
    );
    const answer = await ask(await front(backend, { pagePrefix: '/p', host: 'api' }), '/a%20b?q=1', {
      method: 'DELETE',
      headers: {
        authorization: 'Bearer x',
        'x-remote-user': 'root',
        'x-remote-extra-a': 'b',
        'impersonate-user': 'root',
        connection: 'close, X-Hop',
        'x-hop': '1',
        'content-length': '5',
        'x-stays': '1',
      },
      body: 'hello',
    });
    expect([answer.statusCode, await text(answer)]).toEqual([207, 'got hello']);
    expect(answer.headers).toMatchObject({ 'x-keep': '2', 'audit-id': 'audit', 'cache-control': 'no-cache, private' });
    expect(answer.headers).not.toHaveProperty('x-drop');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect([seen?.method, seen?.url]).toEqual(['DELETE', '/a%20b?q=1']);
    expect(seen?.headers).toMatchObject({
      host: 'api',
      'x-stays': '1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-uri': '/p/a%20b',
    });
    for (const name of ['authorization', 'x-remote-user', 'x-remote-extra-a', 'impersonate-user', 'x-hop'])
      expect(seen?.headers).not.toHaveProperty(name);
  });

  test('has the links of its answer rewritten, compressed or not', async () => {
    const backend = await backends.listen(
      createServer((request, response) => {
        if (request.url === '/away') response.writeHead(302, { Location: '/there' }).end();
        else if (request.url === '/zip')
          response
            .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Encoding': 'gzip' })
            .end(gzipSync('<a href="/x">'));
        else response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': '13' }).end('<a href="/x">');
      }),
    );
    const port = await front(backend, { pagePrefix: '/p' });
    expect((await ask(port, '/away')).headers.location).toBe('/p/there');
    expect(await text(await ask(port))).toBe('<a href="/p/x">');
    const zipped = await (await ask(port, '/zip')).toArray();
    expect(gunzipSync(Buffer.concat(zipped)).toString()).toBe('<a href="/p/x">');
    expect(await text(await ask(await front(backend)))).toBe('<a href="/x">');
  });

  test('streams, and ends for the backend when the client goes away', async () => {
    const ended = Promise.withResolvers<void>();
    const backend = await backends.listen(
      createServer((_request, response) => {
        response.write('first');
        response.once('close', () => ended.resolve());
      }),
    );
    const answer = await ask(await front(backend));
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    answer.destroy();
    await ended.promise;
  });

  test('is answered when the backend is not there, or breaks off', async () => {
    const gone = createServer();
    const port = await backends.listen(gone);
    gone.close();
    const refused = await ask(await front(port));
    expect(refused.statusCode).toBe(503);
    expect(await text(refused)).toContain(
      `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    const broken = await backends.listen(
      createServer((_request, response) => {
        response.write('part');
        setImmediate(() => response.destroy());
      }),
    );
    await expect(ask(await front(broken)).then(text)).rejects.toThrow();
  });

  test('may upgrade', async () => {
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    const port = await front(await backends.listen(server));
    const request = httpRequest({ host: '127.0.0.1', port, headers: { connection: 'Upgrade', upgrade: 'echo' } });
    request.end();
    const [answer, socket] = await once(request, 'upgrade');
    expect(answer.statusCode).toBe(101);
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
    socket.destroy();
  });

  test('may be refused an upgrade', async () => {
    const backend = createServer();
    backend.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
    );
    const port = await front(await backends.listen(backend));
    const answer = await ask(port, '/', { headers: { connection: 'Upgrade', upgrade: 'echo' } });
    expect([answer.statusCode, await text(answer)]).toEqual([403, 'no']);
  });

  test.each([
    ['', ['', 'lines']],
    ['binary.k8s.io', ['', 'lines']],
    ['base64.binary.k8s.io', ['', 'bGluZXM=']],
  ])('may send its body as messages of a WebSocket: %s', async (protocol, messages) => {
    const backend = createServer((request, response) => {
      if (request.headers.upgrade === undefined) response.end('lines');
      else response.writeHead(500).end();
    });
    const port = await front(await backends.listen(backend), { asMessages: true });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, protocol === '' ? [] : [protocol]);
    const received: string[] = [];
    client.on('message', (data) => received.push(String(data)));
    expect((await once(client, 'close'))[0]).toBe(1000);
    expect(client.protocol).toBe(protocol);
    expect(received).toEqual(messages);
  });

  test('is refused before a WebSocket is opened', async () => {
    const check = (): Promise<void> => Promise.reject(new StatusError(newStatus(400, 'BadRequest', 'not yet')));
    const port = await front(await backends.listen(createServer((_request, response) => response.end())), {
      asMessages: true,
      check,
    });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    expect(String((await once(client, 'error'))[0])).toContain('Unexpected server response: 400');
  });
});
