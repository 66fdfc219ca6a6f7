import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AnswerHandler, BackendConnection, BackendFailure } from './backend-connection.ts';
import { BackendPool } from './backend-pool.ts';

let server: Server;
let sockets: Socket[];
let reply: (request: string, socket: Socket) => void;
let pool: BackendPool;

const answerOf = (body: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

beforeEach(async () => {
  sockets = [];
  reply = (_, socket) => socket.write(answerOf('ok'));
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => reply(chunk.toString('latin1'), socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  pool = new BackendPool({ host: '127.0.0.1', port, secure: false, connectTimeoutMs: 5000 });
});

afterEach(() => {
  pool.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
});

interface Outcome {
  readonly connection: BackendConnection;
  readonly body: string;
  readonly failure?: BackendFailure;
}

interface Asking {
  readonly timeoutMs?: number;
  /** The client never takes anything. */
  readonly isSlow?: boolean;
}

/** Asks for `/`, over a connection of the pool. */
function ask({ timeoutMs = 5000, isSlow = false }: Asking = {}): Promise<Outcome> {
  const connection = pool.take();
  return new Promise((resolve) => {
    let body = '';
    const handler: AnswerHandler = {
      method: 'GET',
      onReady: () => {
        connection.out.addText('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        connection.requestSent();
      },
      onDrain: () => {},
      onInformation: () => {},
      onHead: () => {},
      onData: (part) => {
        body += part.toString('latin1');
        if (isSlow) connection.pause();
      },
      onPause: () => {},
      onEnd: () => resolve({ connection, body }),
      onFailure: (failure) => resolve({ connection, body, failure }),
    };
    connection.serve(handler, timeoutMs);
  });
}

test('a connection that has answered is used again, also when its last answer was taken slowly', async () => {
  const first = await ask({ isSlow: true });
  const second = await ask();
  expect([first.body, second.body, second.connection === first.connection, sockets.length]).toEqual([
    'ok',
    'ok',
    true,
    1,
  ]);
  expect(second.connection.hasServed).toBe(true);
});

test.each([
  ['that is the last', 'Connection: close\r\n'],
  ['that waits for a moment only', 'Keep-Alive: timeout=1\r\n'],
])('a connection %s is not kept', async (_, field) => {
  reply = (__, socket) => socket.write(answerOf('ok', field));
  const first = await ask();
  expect((await ask()).connection).not.toBe(first.connection);
});

test('a connection with more than its answer is not kept', async () => {
  reply = (_, socket) => socket.write(`${answerOf('ok')}${answerOf('forged')}`);
  const first = await ask();
  const second = await ask();
  expect([first.body, second.body, second.connection === first.connection]).toEqual(['ok', 'ok', false]);
});

test('a kept connection that ends, or says something unasked, is not used', async () => {
  const first = await ask();
  sockets[0]?.end();
  await once(sockets[0] as Socket, 'close');
  const second = await ask();
  expect(second.connection).not.toBe(first.connection);
  sockets[1]?.write(answerOf('unasked'));
  await once(sockets[1] as Socket, 'close');
  expect(await ask()).toMatchObject({ body: 'ok' });
});

test.each<[BackendFailure, (socket: Socket) => void]>([
  ['broken', (socket) => socket.destroy()],
  ['cut', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
  ['cut', (socket) => socket.end('HTTP/1.1 200')],
  ['malformed', (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n\r\n')],
  ['malformed', (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}`)],
  ['slow', () => {}],
])('%s', async (expected, act) => {
  reply = (_, socket) => act(socket);
  expect((await ask({ timeoutMs: expected === 'slow' ? 20 : 5000 })).failure).toBe(expected);
});

test('unreachable', async () => {
  server.close();
  await once(server, 'close');
  expect((await ask()).failure).toBe('unreachable');
});

test('after its end nothing is kept, and what is under way is completed', async () => {
  let finish: () => void = () => {};
  reply = (_, socket) => {
    finish = () => socket.write(answerOf('late'));
  };
  const outcome = ask();
  while (sockets.length === 0 || sockets[0]?.bytesRead === 0) await new Promise((resolve) => setImmediate(resolve));
  pool.close();
  await new Promise((resolve) => setImmediate(resolve));
  finish();
  expect((await outcome).body).toBe('late');
  await once(sockets[0] as Socket, 'close');
});
