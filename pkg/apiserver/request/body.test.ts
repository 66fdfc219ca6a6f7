import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readBody } from './body.ts';

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

test('a body over the limit is refused', async () => {
  const request = incoming();
  const body = readBody(request, 10);
  request.write('0123456789a');
  await expect(body).rejects.toMatchObject({ status: { code: 413 } });
});
