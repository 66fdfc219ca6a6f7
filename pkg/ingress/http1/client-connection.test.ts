import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { answerWith, type Exchange } from '../exchange.ts';
import { ClientConnection } from './client-connection.ts';

let server: Server;
let clock: FakeClock;
let exchanges: Exchange[];
let handle: (exchange: Exchange) => void;
let open: ClientConnection[];
let client: Socket;
let received: string;

beforeEach(async () => {
  clock = new FakeClock();
  exchanges = [];
  open = [];
  received = '';
  handle = (exchange) => answerWith(exchange, 200, ['X-URL', exchange.target.rawPath], Buffer.from('ok'));
  server = createServer((socket) => {
    const deps = {
      clock,
      handle: (exchange: Exchange) => {
        exchanges.push(exchange);
        handle(exchange);
      },
    };
    const connection = new ClientConnection(socket, { secure: false }, deps);
    open.push(connection);
    connection.begin();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  await once(client, 'connect');
});

afterEach(() => {
  client.destroy();
  server.close();
});

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setImmediate(resolve));
}
const closed = (): Promise<unknown> => (client.closed ? Promise.resolve() : once(client, 'close'));
const answers = (): number => received.split('HTTP/1.1 200').length - 1;
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

/** Takes a body, and answers with it. */
function echo(exchange: Exchange): void {
  const parts: Buffer[] = [];
  exchange.readBody({
    data: (part) => parts.push(part) > 0,
    end: () => answerWith(exchange, 200, [], Buffer.concat(parts)),
  });
}

test('requests that come together are answered one after the other', async () => {
  client.write(`\r\n${get('/1')}${get('/2')}\r\n${get('/3')}`);
  await until(() => answers() === 3);
  expect([...received.matchAll(/X-URL: (\S+)/g)].map((match) => match[1])).toEqual(['/1', '/2', '/3']);
});

test('the next request waits for the answer to the last', async () => {
  handle = () => {};
  client.write(get('/1') + get('/2'));
  await until(() => exchanges.length === 1);
  handle = (exchange) => answerWith(exchange, 200, [], Buffer.from('second'));
  const [first] = exchanges;
  if (first !== undefined) answerWith(first, 200, [], Buffer.from('first'));
  await until(() => received.includes('second'));
  expect(received.indexOf('first')).toBeLessThan(received.indexOf('second'));
});

test('what follows a body is the next request, however it is cut', async () => {
  handle = echo;
  const text = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${get('/2')}`;
  for (const letter of text) {
    client.write(letter);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => answers() === 2);
  expect(received).toContain('abc');
});

test('who waits for 100 Continue is told to go on when somebody wants the body', async () => {
  handle = echo;
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  await until(() => received === 'HTTP/1.1 100 Continue\r\n\r\n');
  client.write('body');
  await until(() => received.endsWith('body'));
});

test('an answer before the end of the body is the last, and is not lost with the rest of the body', async () => {
  const body = 'x'.repeat(1_000_000);
  client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.write(body);
  await until(() => received.includes('Connection: close') && received.endsWith('ok'));
  client.end();
  await closed();
  expect(exchanges).toHaveLength(1);
});

test.each([
  ['HTTP/1.1', '', true],
  ['HTTP/1.1', 'Connection: close\r\n', false],
  ['HTTP/1.0', '', false],
  ['HTTP/1.0', 'Connection: keep-alive\r\n', true],
])('%s with %j: more requests are taken: %s', async (version, connection, more) => {
  client.write(`GET / ${version}\r\nHost: x\r\n${connection}\r\n`);
  await until(() => received.endsWith('ok'));
  expect(received.includes('Connection: close')).toBe(!more);
  if (!more) await once(client, 'end');
  else {
    client.write(get('/2', 'Connection: close\r\n'));
    await closed();
    expect(answers()).toBe(2);
  }
});

test('an answer of unknown length ends by chunks, or with the connection', async () => {
  handle = (exchange) => {
    exchange.begin(200, [], undefined);
    exchange.write(Buffer.from('hello'));
    exchange.end();
  };
  client.write(`${get('/1')}GET /2 HTTP/1.0\r\n\r\n`);
  await closed();
  const [, first, second] = received.split('HTTP/1.1 200 OK\r\n');
  expect(first).toBe('Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
  expect(second).toBe('Connection: close\r\n\r\nhello');
});

test('HEAD has the length and no body', async () => {
  client.write('HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await closed();
  expect(received).toMatch(/Content-Length: 2\r\nConnection: close\r\n\r\n$/);
});

test.each([
  ['a head that does not end', 'GET / HTTP/1.1\r\nHost: x\r\n'],
  ['nothing at all', ''],
])('slow on purpose: %s', async (_, text) => {
  if (text !== '') client.write(text);
  await until(() => open.length === 1);
  if (text !== '') await until(() => client.bytesWritten === text.length);
  await clock.advance(14_999);
  expect(client.closed).toBe(false);
  await clock.advance(1);
  await until(() => received.startsWith('HTTP/1.1 408 '));
  await closed();
});

test('a malformed body is the end of the exchange, and of the connection', async () => {
  let gone = 0;
  handle = (exchange) => {
    exchange.gone = () => gone++;
    exchange.readBody({ data: () => true, end: () => {} });
  };
  client.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /smuggled HTTP/1.1\r\n\r\n');
  await closed();
  expect([gone, exchanges.length, received.slice(0, 13)]).toEqual([1, 1, 'HTTP/1.1 400 ']);
});

test('a client that goes is told of once', async () => {
  const told: string[] = [];
  handle = (exchange) => {
    exchange.gone = () => told.push('gone');
    exchange.done = () => told.push('done');
  };
  client.write(get('/'));
  await until(() => exchanges.length === 1);
  client.destroy();
  await until(() => told.length > 1);
  expect(told).toEqual(['gone', 'done']);
});

test('a body that nobody takes is not read without end', async () => {
  handle = (exchange) => exchange.readBody({ data: () => false, end: () => {} });
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n');
  await until(() => exchanges.length === 1);
  let sent = 0;
  while (client.write(Buffer.alloc(65_536)) && sent < 1600) {
    sent++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(1600);
});

test('who asks and takes no answer is not answered without end; later he is', async () => {
  client.pause();
  handle = (exchange) => answerWith(exchange, 200, [], Buffer.alloc(10_000, 'x'));
  const many = get('/').repeat(2000);
  client.write(many);
  let before = -1;
  while (exchanges.length !== before) {
    before = exchanges.length;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(exchanges.length).toBeLessThan(2000);
  client.resume();
  await until(() => exchanges.length === 2000);
});

test('the last answer reaches a slow client as a whole', async () => {
  client.pause();
  const body = Buffer.alloc(16_000_000, 'x');
  handle = (exchange) => answerWith(exchange, 200, [], body);
  client.write(get('/', 'Connection: close\r\n'));
  await until(() => exchanges.length === 1);
  await clock.advance(60_000);
  client.resume();
  await closed();
  expect(received.length - received.indexOf('\r\n\r\n') - 4).toBe(body.length);
});

test('at the end answers under way are completed', async () => {
  handle = () => {};
  client.write(get('/'));
  await until(() => exchanges.length === 1);
  for (const connection of open) connection.shutdown();
  const [first] = exchanges;
  if (first !== undefined) answerWith(first, 200, [], Buffer.from('whole'));
  await closed();
  expect(received).toMatch(/Connection: close\r\n\r\nwhole$/);
});
