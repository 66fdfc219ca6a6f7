import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { constants, inflateSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Exchange } from '../http/request-handler.ts';
import { Backends } from '../proxy/testing/backends.ts';
import { Upgrades } from '../proxy/upgrades.ts';
import { dialSPDY } from './dial-spdy.ts';
import { RUNTIME_PROTOCOLS, type SessionStreams, translateSession, wantsTranslation } from './remote-command.ts';
import { tunnel, tunneledProtocols } from './tunnel.ts';

const backends = new Backends();
afterEach(() => backends.close());

type Session = (socket: Duplex, asked: string) => unknown;

/** A streaming server; `session` speaks SPDY, undefined refuses. */
function runtime(session: Session | undefined): Promise<number> {
  const server = createServer((_, response) => response.writeHead(404).end('container not found ("c")\n'));
  if (session !== undefined)
    server.on('upgrade', (asked: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => socket.destroy()).once('end', () => socket.end());
      const protocols = String(asked.headers['x-stream-protocol-version']);
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
      socket.write(`${[...lines, `X-Stream-Protocol-Version: ${protocols}`].join('\r\n')}\r\n\r\n`);
      session(socket, `${asked.method} ${asked.headers.upgrade} ${protocols}`);
    });
  return backends.listen(server);
}

/** The API server's side: exec in front of a runtime. */
async function front(port: number, streams: SessionStreams): Promise<number> {
  const upgrades = new Upgrades();
  const agent = undefined as never;
  const target = { scheme: 'http', host: '127.0.0.1', port, path: '/exec' } as const;
  const server = createServer();
  server.on('upgrade', (asked, socket, head) => {
    const response: ServerResponse = upgrades.expect(asked, socket, head);
    const exchange = { request: asked, response } as unknown as Exchange;
    const upgrade = { socket, head };
    const protocols = tunneledProtocols(exchange);
    if (protocols.length > 0) void tunnel(exchange, upgrade, () => dialSPDY(target, protocols, agent));
    else if (wantsTranslation(exchange))
      void translateSession(exchange, upgrade, streams, () => dialSPDY(target, RUNTIME_PROTOCOLS, agent));
    else response.writeHead(400).end();
  });
  return backends.listen(server);
}

const ALL: SessionStreams = { stdin: true, stdout: true, stderr: true, tty: false };

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Takes apart what a client of SPDY has sent, by the specification. */
function frames(bytes: Buffer): Frame[] {
  const all: Frame[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const first = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4) & 0xffffff;
    const type = first >>> 31 === 1 ? first & 0xffff : -first;
    all.push({ type, flags: bytes[at + 4] ?? 0, body: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return all;
}

/** `streamtype` of each stream that was opened, in order: the headers of a session are one compressed stream. */
function opened(all: readonly Frame[]): string[] {
  const blocks = all.filter(({ type }) => type === 1).map(({ body }) => body.subarray(10));
  const plain = inflateSync(Buffer.concat(blocks), { finishFlush: constants.Z_SYNC_FLUSH });
  return [...plain.toString('latin1').matchAll(/streamtype\0\0\0.([a-z]+)/gs)].map(([, name = '']) => name);
}

function data(stream: number, text: string, last = false): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(((last ? 1 : 0) << 24) | text.length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Connects, sends, and collects until the end: messages as `CHANNEL:TEXT`. */
async function session(port: number, protocol: string, ...messages: readonly Buffer[]): Promise<string[]> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, [protocol]);
  const seen: string[] = [];
  client.on('message', (message: Buffer) => seen.push(`${message[0]}:${message.subarray(1)}`));
  await once(client, 'open');
  expect(client.protocol).toBe(protocol);
  for (const message of messages) client.send(message);
  await once(client, 'close');
  return seen;
}

const V5 = 'v5.channel.k8s.io';
const SUCCESS = '{"metadata":{},"status":"Success"}';

test('streams of an exec are those of the runtime, and the end of the input is told', async () => {
  let received = Buffer.alloc(0);
  const port = await runtime((socket, asked) => {
    expect(asked).toBe('POST SPDY/3.1 v4.channel.k8s.io');
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const ended = frames(received).some(({ type, flags }) => type === -3 && flags === 1);
      if (!ended) return;
      for (const frame of [data(5, 'out'), data(7, 'err', true), data(5, '', true), data(1, SUCCESS, true)])
        socket.write(frame);
    });
  });
  const input = [Buffer.from('\x00ab'), Buffer.from('\x00c'), Buffer.from([255, 0])];
  expect(await session(await front(port, ALL), V5, ...input)).toEqual(['1:', '1:out', '2:err', `3:${SUCCESS}`]);
  const all = frames(received);
  expect(opened(all)).toEqual(['error', 'stdin', 'stdout', 'stderr']);
  expect(Buffer.concat(all.filter(({ type }) => type === -3).map(({ body }) => body)).toString()).toBe('abc');
});

test('a terminal has no error output, and its size is passed on', async () => {
  let received = Buffer.alloc(0);
  const port = await runtime((socket) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (!frames(received).some(({ type }) => type === -7)) return;
      socket.write(data(5, 'tty', true));
      socket.write(data(1, '', true));
    });
  });
  const size = '{"Width":80,"Height":24}';
  const seen = await session(await front(port, { ...ALL, tty: true }), V5, Buffer.from(`\x04${size}`));
  expect(seen).toEqual(['1:', '1:tty', `3:${SUCCESS}`]);
  expect(opened(frames(received))).toEqual(['error', 'stdin', 'stdout', 'resize']);
});

test.each([
  [
    'an exit code',
    '{"metadata":{},"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
    { reason: 'NonZeroExitCode', message: expect.stringContaining('command terminated with exit code 3') },
  ],
  [
    'another failure',
    '{"metadata":{},"status":"Failure","message":"no such file"}',
    { reason: 'InternalError', message: 'Internal error occurred: no such file' },
  ],
  ['plain text', 'broken', { reason: 'InternalError', message: 'Internal error occurred: broken' }],
])('%s becomes a Status', async (_, text, expected) => {
  const port = await runtime((socket) => socket.once('data', () => socket.write(data(1, text, true))));
  const seen = await session(await front(port, { stdin: false, stdout: false, stderr: false, tty: false }), V5);
  expect(seen[0]).toBe('3:');
  expect(JSON.parse(seen[1]?.slice(2) ?? '')).toMatchObject({ status: 'Failure', ...expected });
});

test('a refusal of the runtime is told on the error channel', async () => {
  const seen = await session(await front(await runtime(undefined), ALL), V5);
  expect(JSON.parse(seen[1]?.slice(2) ?? '').message).toBe(
    'Internal error occurred: unable to upgrade connection: container not found ("c")',
  );
});

test('what is no SPDY ends the session', async () => {
  const port = await runtime((socket) => socket.write(Buffer.from('\x80\x09\x00\x01\x00\x00\x00\x00')));
  expect(await session(await front(port, ALL), V5)).toEqual(['1:', `3:${SUCCESS}`]);
});

test('a tunnel carries the bytes of both sides', async () => {
  const port = await runtime((socket, asked) => {
    expect(asked).toBe('POST SPDY/3.1 portforward.k8s.io');
    socket.once('data', (chunk: Buffer) => socket.end(`<${chunk}>`));
  });
  const protocol = 'SPDY/3.1+portforward.k8s.io';
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    'sec-websocket-protocol': protocol,
  };
  const asking = request({ host: '127.0.0.1', port: await front(port, ALL), headers });
  asking.end();
  const [answer, socket] = (await once(asking, 'upgrade')) as [IncomingMessage, Duplex];
  expect(answer.headers['sec-websocket-protocol']).toBe(protocol);
  // A binary message, masked with zeros.
  socket.write(Buffer.concat([Buffer.from([0x82, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]));
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (received.length >= 9) socket.destroy();
  });
  await once(socket, 'close');
  expect(received.slice(2)).toContain('<hello>');
});
