import { expect, test } from 'vitest';
import { parseResponseHead } from './response-head.ts';

const read = (method: string, ...lines: readonly string[]) => parseResponseHead(lines.join('\r\n'), method);

test.each([
  ['a length', 'GET', ['HTTP/1.1 200 OK', 'Content-Length: 5'], { status: 200, framing: 5, keepAlive: true }],
  ['chunks', 'GET', ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], { framing: 'chunked' }],
  ['until the end', 'GET', ['HTTP/1.1 200'], { framing: 'until-close', declaredLength: undefined }],
  ['HTTP/1.0', 'GET', ['HTTP/1.0 200 OK', 'Content-Length: 5'], { keepAlive: false }],
  ['a last answer', 'GET', ['HTTP/1.1 200 OK', 'Connection: close'], { keepAlive: false }],
  ['how long it stays', 'GET', ['HTTP/1.1 200 OK', 'Keep-Alive: timeout=5, max=9'], { keepAliveMs: 5000 }],
  ['HEAD', 'HEAD', ['HTTP/1.1 200 OK', 'Content-Length: 5'], { framing: 0, declaredLength: 5 }],
  ['nothing new', 'GET', ['HTTP/1.1 304 Not Modified', 'Content-Length: 5'], { framing: 0 }],
  ['no content', 'GET', ['HTTP/1.1 204 No Content'], { framing: 0 }],
])('%s', (_, method, lines, expected) => {
  expect(read(method, ...lines)).toMatchObject(expected);
});

test.each([
  ['no status', ['HTTP/1.1 OK']],
  ['another protocol', ['ICY 200 OK']],
  ['a status of two digits', ['HTTP/1.1 20 OK']],
  ['length and chunks', ['HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked']],
  ['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6']],
  ['a bare line feed', ['HTTP/1.1 200 OK', 'A: b\nc']],
])('no answer: %s', (_, lines) => {
  expect(read('GET', ...lines)).toBeUndefined();
});
