import { connect as connectHTTP2, constants } from 'node:http2';
import { connect as connectTCP, type Socket } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import type { Random } from './random.ts';
import type { Credentials } from './target.ts';

/** Something below HTTP requests: resolves with what was wrong, or undefined. */
export interface RawAttack {
  readonly name: string;
  run(credentials: Credentials, random: Random): Promise<string | undefined>;
}

const HOST = 'Host: localhost\r\n';

/** Texts after which no second answer may come: the server must have closed or answered once. */
const AMBIGUOUS: readonly string[] = [
  `POST /api/v1/namespaces HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /version HTTP/1.1\r\n${HOST}\r\n`,
  `POST /api/v1/namespaces HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  `POST /api/v1/namespaces HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  `POST /api/v1/namespaces HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  `GET /version HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`,
  `GET /version HTTP/1.1\nHost: x\n\n`,
  `GET /version HTTP/9.9\r\n${HOST}\r\n`,
  `GET  /version HTTP/1.1\r\n${HOST}\r\n`,
  `GET /ver\u0000sion HTTP/1.1\r\n${HOST}\r\n`,
  `GET /version HTTP/1.1\r\n${HOST}A: b\r\n\tfolded\r\n\r\n`,
  `GET /version HTTP/1.1\r\n\r\n`,
  `GET http://evil.invalid/version HTTP/1.1\r\n${HOST}\r\n`,
  `CONNECT evil.invalid:443 HTTP/1.1\r\n${HOST}\r\n`,
  `GET * HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  `GET //evil.invalid/%2f..%00 HTTP/1.1\r\n${HOST}\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  `${'GET / HTTP/1.1\r\n'.repeat(50)}`,
  `GET /version HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(3000)}\r\n`,
  `GET /version HTTP/1.1\r\n${HOST}A: ${'x'.repeat(200_000)}\r\n\r\n`,
  `GET /${'x'.repeat(200_000)} HTTP/1.1\r\n${HOST}\r\n`,
  `GET /exec HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\ngarbage`,
  `GET /api/v1/namespaces/a/pods/b/exec?command=x HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n\u0081\u0000`,
  `GET /api/v1/namespaces/a/pods/b/attach HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n\r\n`,
  `POST /api/v1/namespaces/fuzz-a/configmaps HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx`,
  `POST /api/v1/namespaces/fuzz-a/configmaps HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n`,
  `POST /api/v1/namespaces/fuzz-a/configmaps HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n`,
];

export const rawAttacks: readonly RawAttack[] = [
  { name: 'ambiguous', run: (credentials, random) => overTLS(credentials, random.pick(AMBIGUOUS), 400) },
  { name: 'garbage HTTP', run: (credentials, random) => overTLS(credentials, noise(random, 2000), 200) },
  { name: 'truncated', run: truncated },
  { name: 'pipelined', run: pipelined },
  { name: 'slow header', run: slowHeader },
  { name: 'garbage TLS', run: garbageTLS },
  { name: 'rapid reset', run: rapidReset },
  {
    name: 'HTTP/2 garbage',
    run: (credentials, random) =>
      overTLS(credentials, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${noise(random, 500)}`, 200, 'h2'),
  },
  { name: 'HTTP/2 frames', run: frameFlood },
  { name: 'HTTP/2 headers', run: hostileHTTP2 },
];

function noise(random: Random, most: number): string {
  let text = '';
  const length = random.int(most);
  for (let i = 0; i < length; i++) text += String.fromCharCode(random.int(256));
  return text;
}

/** Writes bytes after the handshake; whatever comes back is read and judged by its first line only. */
function overTLS(
  credentials: Credentials,
  text: string,
  waitMs: number,
  protocol = 'http/1.1',
): Promise<string | undefined> {
  const { host, port, ca, cert, key } = credentials;
  return new Promise((resolve) => {
    const socket = connectTLS({ host, port, ca, cert, key, ALPNProtocols: [protocol], servername: '' });
    let received = '';
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      resolve(
        status?.startsWith('5') === true && status !== '501' && status !== '505'
          ? `answered ${received.slice(0, 200)}`
          : undefined,
      );
    };
    const timer = setTimeout(end, waitMs);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (received.length < 2000) received += chunk.toString('latin1');
    });
    socket.once('close', end);
    socket.once('secureConnect', () => socket.write(Buffer.from(text, 'latin1')));
  });
}

async function truncated(credentials: Credentials, random: Random): Promise<string | undefined> {
  const text = `POST /api/v1/namespaces/fuzz-a/configmaps HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"metadata":{"name":"cut"`;
  return overTLS(credentials, text.slice(0, random.int(text.length)), random.int(60));
}

function pipelined(credentials: Credentials, random: Random): Promise<string | undefined> {
  const count = 1 + random.int(300);
  return overTLS(
    credentials,
    `GET /api/v1/namespaces/fuzz-a/configmaps?limit=1 HTTP/1.1\r\n${HOST}\r\n`.repeat(count),
    150,
  );
}

/** Header bytes that trickle in, on many connections at once. */
async function slowHeader(credentials: Credentials, random: Random): Promise<string | undefined> {
  const { host, port, ca } = credentials;
  const sockets = Array.from({ length: 5 + random.int(20) }, () => {
    const socket = connectTLS({ host, port, ca, servername: '' });
    socket.on('error', () => undefined);
    socket.once('secureConnect', () => socket.write('GET /version HTTP/1.1\r\nA: '));
    return socket;
  });
  for (let i = 0; i < 5; i++) {
    await pause(40);
    for (const socket of sockets) if (socket.writable) socket.write('x');
  }
  for (const socket of sockets) socket.destroy();
  return undefined;
}

async function garbageTLS(credentials: Credentials, random: Random): Promise<string | undefined> {
  const { host, port } = credentials;
  const sockets: Socket[] = [];
  for (let i = 0; i < 10; i++) {
    const socket = connectTCP({ host, port });
    socket.on('error', () => undefined);
    const text = random.pick([
      'GET / HTTP/1.1\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001',
      `\u0016\u0003\u0001\u00ff\u00ff${noise(random, 900)}`,
      noise(random, 300),
      '',
      'SSH-2.0-x\r\n',
    ]);
    socket.once('connect', () => socket.write(Buffer.from(text, 'latin1')));
    sockets.push(socket);
  }
  await pause(60);
  for (const socket of sockets) random.chance(0.5) ? socket.destroy() : socket.resetAndDestroy();
  return undefined;
}

/** Opens streams and takes them back at once (CVE-2023-44487). */
function rapidReset(credentials: Credentials, random: Random): Promise<string | undefined> {
  const { host, port, ca, cert, key } = credentials;
  return new Promise((resolve) => {
    const session = connectHTTP2(`https://${host}:${port}`, { ca, cert, key });
    session.on('error', () => undefined);
    session.once('close', () => resolve(undefined));
    session.once('connect', () => {
      const count = 50 + random.int(400);
      for (let i = 0; i < count && !session.destroyed; i++) {
        const stream = session.request({
          ':path': random.pick(['/api/v1/pods', '/api/v1/pods?watch=1', '/openapi/v2']),
          ':method': 'GET',
        });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    setTimeout(() => session.destroy(), 200);
  });
}

/** PING, SETTINGS, RST_STREAM, CONTINUATION and WINDOW_UPDATE frames without end or sense. */
async function frameFlood(credentials: Credentials, random: Random): Promise<string | undefined> {
  const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const [type, flags, stream, size] = random.pick([
    [6, 0, 0, 8],
    [4, 0, 0, 0],
    [4, 0, 0, 6],
    [3, 0, 1, 4],
    [9, 0, 1, 100],
    [8, 0, 0, 4],
    [0, 0, 1, 0],
    [1, 0, 1, 20],
    [99, 0, 7, 50],
    [2, 0, 3, 5],
    [7, 0, 0, 8],
  ] as const);
  const frames = Array.from({ length: 200 + random.int(1500) }, (_, i) =>
    frame(type, flags, stream === 0 ? 0 : stream + 2 * i, Buffer.alloc(size)),
  );
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, Buffer.alloc(0)),
    ...frames,
  ]);
  return overTLS(credentials, preface.toString('latin1'), 200, 'h2');
}

/** Requests over HTTP/2 with pseudo headers and paths that HTTP/1.1 cannot carry. */
function hostileHTTP2(credentials: Credentials, random: Random): Promise<string | undefined> {
  const { host, port, ca, cert, key } = credentials;
  return new Promise((resolve) => {
    const session = connectHTTP2(`https://${host}:${port}`, { ca, cert, key });
    session.on('error', () => undefined);
    let wrong: string | undefined;
    session.once('close', () => resolve(wrong));
    session.once('connect', () => {
      for (let i = 0; i < 10; i++) {
        const path = random.pick([
          '',
          '*',
          '/a b',
          '/\u00ff',
          '//',
          '/api/v1/namespaces/fuzz-a/configmaps',
          `/${'y'.repeat(9000)}`,
          'http://x/y',
          '/version',
        ]);
        const method = random.pick(['GET', 'POST', 'CONNECT', 'get', '__proto__', 'OPTIONS']);
        const fields =
          method === 'CONNECT'
            ? { ':method': method, ':authority': 'x' }
            : { ':method': method, ':path': path, 'x-a': 'b'.repeat(random.int(3000)) };
        try {
          const stream = session.request(fields, { endStream: random.chance(0.5) });
          stream.on('error', () => undefined);
          stream.once('response', (headers) => {
            const status = Number(headers[':status']);
            if (status >= 500 && status !== 501) wrong = `${method} ${path}: ${status}`;
          });
          if (stream.writable) stream.end('{"a":');
          stream.resume();
        } catch {
          // The client's own refusal.
        }
      }
    });
    setTimeout(() => session.destroy(), 250);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
