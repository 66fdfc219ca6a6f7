import { expect, test } from 'vitest';
import { parseRequestHead } from './request-head.ts';

const read = (...lines: readonly string[]) => parseRequestHead(lines.join('\r\n'));

test('a head is read: target, fields, framing, and what becomes of the connection', () => {
  const head = read('POST /a?b HTTP/1.1', 'Host: x.test:80', 'Content-Length: 5', 'Cookie: a=1', 'cookie:b=2\t ', 'E:');
  if (typeof head === 'number') throw new Error(`refused: ${head}`);
  expect(head).toMatchObject({ method: 'POST', url: '/a?b', minor: 1, host: 'x.test:80', framing: 5, keepAlive: true });
  expect(head.fields.raw.slice(4)).toEqual(['Cookie', 'a=1', 'cookie', 'b=2', 'E', '']);
  expect([head.fields.get('cookie'), head.fields.get('e'), head.fields.get('absent')]).toEqual([
    'a=1; b=2',
    '',
    undefined,
  ]);
});

test.each([
  [['GET / HTTP/1.1', 'Host: x'], { keepAlive: true, framing: 0, waits: false, upgrade: false }],
  [['GET / HTTP/1.1', 'Host: x', 'Connection: Close'], { keepAlive: false }],
  [['GET / HTTP/1.0'], { keepAlive: false, host: undefined, minor: 0 }],
  [['GET / HTTP/1.0', 'Connection: foo, Keep-Alive'], { keepAlive: true }],
  [['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: Chunked'], { framing: 'chunked' }],
  [['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Expect: 100-Continue'], { waits: true }],
  [['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: WebSocket'], { upgrade: true }],
  [['GET / HTTP/1.1', 'Host: x', 'Upgrade: websocket'], { upgrade: false }],
  [['GET / HTTP/1.1', 'Host: x', 'Connection: upgrade', 'Upgrade: h2c'], { upgrade: false }],
  [['GET / HTTP/1.1', 'Host: x', 'Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 1'], { upgrade: false }],
])('%j', (lines, expected) => {
  expect(read(...lines)).toMatchObject(expected);
});

test.each([
  ['no version', 400, ['GET /']],
  ['another version', 400, ['GET / HTTP/2.0', 'Host: x']],
  ['two spaces', 400, ['GET  / HTTP/1.1', 'Host: x']],
  ['a tab', 400, ['GET\t/ HTTP/1.1', 'Host: x']],
  ['a control in the target', 400, ['GET /\x01 HTTP/1.1', 'Host: x']],
  ['a tunnel', 400, ['CONNECT x:443 HTTP/1.1', 'Host: x']],
  ['no host', 400, ['GET / HTTP/1.1']],
  ['two hosts', 400, ['GET / HTTP/1.1', 'Host: x', 'host: x']],
  ['two equal lengths', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Content-Length: 1']],
  ['a list of lengths', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1, 1']],
  ['a signed length', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: +1']],
  ['a hexadecimal length', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 0x1']],
  ['no length', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length:']],
  ['length and chunks', 400, ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Transfer-Encoding: chunked']],
  ['another coding', 400, ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: gzip, chunked']],
  ['chunks twice', 400, ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['chunks behind an odd space', 400, ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: \xa0chunked']],
  ['chunks behind a vertical tab', 400, ['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: \vchunked']],
  ['chunks of HTTP/1.0', 400, ['PUT / HTTP/1.0', 'Transfer-Encoding: chunked']],
  ['a space before the colon', 400, ['GET / HTTP/1.1', 'Host: x', 'A : b']],
  ['a folded line', 400, ['GET / HTTP/1.1', 'Host: x', 'A: b', ' c']],
  ['a line without a colon', 400, ['GET / HTTP/1.1', 'Host: x', 'A']],
  ['a nameless field', 400, ['GET / HTTP/1.1', 'Host: x', ': b']],
  ['a NUL', 400, ['GET / HTTP/1.1', 'Host: x', 'A: b\0']],
  ['a bare line feed', 400, ['GET / HTTP/1.1', 'Host: x', 'A: b\nB: c']],
  ['a bare carriage return', 400, ['GET / HTTP/1.1', 'Host: x', 'A: b\rB: c']],
  ['another expectation', 417, ['PUT / HTTP/1.1', 'Host: x', 'Expect: more']],
  ['too many fields', 431, ['GET / HTTP/1.1', 'Host: x', ...Array<string>(200).fill('A: b')]],
])('refused: %s', (_, status, lines) => {
  expect(read(...lines)).toBe(status);
});
