import { expect, test } from 'vitest';
import { BodyDecoder, MalformedBody } from './body-decoder.ts';
import type { Framing } from './framing.ts';

/** Pushes a text in pieces of a size, as connections deliver it. */
function decode(framing: Framing, text: string, pieceSize: number) {
  const decoder = new BodyDecoder(framing);
  let body = '';
  let taken = 0;
  for (let at = 0; at < text.length && !decoder.done; at += pieceSize) {
    const piece = Buffer.from(text.slice(at, at + pieceSize), 'latin1');
    taken += decoder.push(piece, (part) => {
      body += part.toString('latin1');
    });
  }
  return { body, done: decoder.done, rest: text.slice(taken), trailers: decoder.trailers.raw };
}

const pieceSizes = [1, 2, 3, 7, 1000];

test.each<[string, Framing, string, object]>([
  ['a length', 5, 'helloGET', { body: 'hello', done: true, rest: 'GET' }],
  ['no body', 0, 'GET', { body: '', done: true, rest: 'GET' }],
  ['until the end', 'until-close', 'hello', { body: 'hello', done: false, rest: '' }],
  ['an incomplete body', 9, 'hello', { body: 'hello', done: false }],
  [
    'chunks',
    'chunked',
    '5\r\nhello\r\nA;x="y"\r\n0123456789\r\n0\r\n\r\nGET',
    { body: 'hello0123456789', rest: 'GET' },
  ],
  [
    'trailers',
    'chunked',
    '1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nx',
    { done: true, trailers: ['A', 'b', 'C', 'd'], rest: 'x' },
  ],
  ['a size with zeros', 'chunked', '0005\r\nhello\r\n000\r\n\r\n', { body: 'hello', done: true }],
])('%s', (_, framing, text, expected) => {
  for (const size of pieceSizes) expect(decode(framing, text, size), `pieces of ${size}`).toMatchObject(expected);
});

test.each([
  ['no size', '\r\nhello'],
  ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a bare line feed after the size', '5\nhello\r\n0\r\n\r\n'],
  ['more than the size', '4\r\nhello\r\n0\r\n\r\n'],
  ['less than the size', '6\r\nhello\r\n0\r\n\r\n'],
  ['a control in an extension', '5;\x01\r\nhello\r\n0\r\n\r\n'],
  ['a huge size', '1000000000000\r\nhello'],
  ['a long size line', `5;${'x'.repeat(300)}\r\nhello`],
  ['long trailers', `0\r\n${'A: b\r\n'.repeat(2000)}\r\n`],
  ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
  ['a bare line feed in a trailer', '0\r\nA: b\n\r\n'],
])('malformed: %s', (_, text) => {
  for (const size of pieceSizes) expect(() => decode('chunked', text, size), `${size}`).toThrow(MalformedBody);
});
