import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { rewriteHTML } from './rewrite-html.ts';
import { rewriteURL } from './rewrite-url.ts';

const links = {
  prefix: '/api/v1/namespaces/a/services/b/proxy',
  backendHost: '10.42.0.5:80',
  requestHost: 'api.example.com:6443',
};
const { prefix } = links;

describe('links of a proxied backend', () => {
  test.each([
    ['/page', `${prefix}/page`],
    ['/page/?q=1#top', `${prefix}/page/?q=1#top`],
    ['/', `${prefix}/`],
    ['http://10.42.0.5:80/page', `${prefix}/page`],
    ['https://api.example.com:6443/page', `https://api.example.com:6443${prefix}/page`],
    [`${prefix}/page`, `${prefix}/page`],
    ['page', 'page'],
    ['../page', '../page'],
    ['?q', '?q'],
    ['http://elsewhere.example.com/page', 'http://elsewhere.example.com/page'],
    ['//elsewhere.example.com/page', '//elsewhere.example.com/page'],
    ['mailto:a@example.com', 'mailto:a@example.com'],
    ['', ''],
  ])('%s -> %s', (link, expected) => {
    expect(rewriteURL(link, links)).toBe(expected);
  });
});

describe('pages of a proxied backend', () => {
  const page = `<!DOCTYPE html><html><head><script src="/a.js">var s = '<a href="/x">';</script>
<style>a{background:url(/b.png)}</style></head><body><!-- <a href="/no"> -->
<a class=x href='/one?a=1&amp;b=2'>ä < b</a><IMG alt="a > b" SRC=/two.png><a href="three">3</a><p title="/no"></p></body></html>`;
  const expected = `<!DOCTYPE html><html><head><script src="P/a.js">var s = '<a href="/x">';</script>
<style>a{background:url(/b.png)}</style></head><body><!-- <a href="/no"> -->
<a class=x href="P/one?a=1&amp;b=2">ä < b</a><IMG alt="a > b" SRC="P/two.png"><a href="three">3</a><p title="/no"></p></body></html>`;

  test.each([1, 2, 7, 64, 10_000])('in pieces of %i bytes', async (size) => {
    const bytes = Buffer.from(page);
    const pieces: Buffer[] = [];
    for (let i = 0; i < bytes.length; i += size) pieces.push(bytes.subarray(i, i + size));
    const out = Readable.from(pieces).pipe(rewriteHTML((url) => (url.startsWith('/') ? `P${url}` : url)));
    expect(await text(out)).toBe(expected);
  });

  test('a tag without an end passes', async () => {
    const endless = `<a href="${'x'.repeat(300_000)}`;
    const out = Readable.from([Buffer.from(endless.slice(0, 200_000)), Buffer.from(endless.slice(200_000))]);
    expect(await text(out.pipe(rewriteHTML(() => 'no')))).toBe(endless);
  });
});
