import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { objectBody, patchKindOf, readBody } from './body.ts';

function incoming(): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers: {}, complete: false }) as unknown as PassThrough & IncomingMessage;
}

test('a client that goes away within the body is told to be at fault', async () => {
  const request = incoming();
  const body = readBody(request);
  request.write('{"a":');
  request.destroy(new Error('aborted'));
  await expect(body).rejects.toMatchObject({ status: { code: 400, reason: 'BadRequest' } });
});

test('so is one that is gone before its body is read, or before all of it is', async () => {
  const gone = incoming();
  gone.destroy();
  await expect(readBody(gone)).rejects.toMatchObject({ status: { code: 400 } });
  const received = Object.assign(incoming(), { complete: true });
  const body = readBody(received);
  received.destroy();
  await expect(body).rejects.toMatchObject({ status: { code: 400 } });
});

test('a body over the limit is refused', async () => {
  const request = incoming();
  const body = readBody(request, 10);
  request.write('0123456789a');
  await expect(body).rejects.toMatchObject({ status: { code: 413 } });
});

test('what follows of it is taken from its sender, but not for ever', async () => {
  const request = incoming();
  request.headers['content-length'] = '11';
  await expect(readBody(request, 10)).rejects.toMatchObject({ status: { code: 413 } });
  const megabyte = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < 64; i++)
    if (!request.write(megabyte)) await new Promise((resolve) => request.once('drain', resolve));
  expect(request.destroyed).toBe(false);
  request.write(megabyte);
  await new Promise((resolve) => request.once('close', resolve));
});

test('bodies of objects are JSON unless their type says otherwise; types that cannot be read are refused', () => {
  const bytes = Buffer.from('{}');
  expect(objectBody(bytes, undefined)).toEqual({ bytes, contentType: 'application/json' });
  expect(objectBody(bytes, 'application/YAML; charset=utf-8')).toEqual({ bytes, contentType: 'application/yaml' });
  for (const type of ['application/json;;', ';', 'text/plain']) {
    expect(() => objectBody(bytes, type)).toThrow('the body of the request was in an unknown format');
  }
});

test('types of patches are taken by the letter, whatever their parameters', () => {
  expect(patchKindOf('application/merge-patch+json;;', false)).toBe('merge');
  expect(() => patchKindOf('application/MERGE-patch+json', false)).toThrow('415: Unsupported Media Type');
  expect(() => patchKindOf('application/strategic-merge-patch+json', true)).toThrow('accepted media types include');
});
