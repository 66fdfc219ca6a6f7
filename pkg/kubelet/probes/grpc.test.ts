import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { grpcCheck } from './grpc.ts';

const LONG = 'x'.repeat(300);
let server: Server;
let port: number;

/** Answers by the bytes of the request: the service's name is what follows its tag and length. */
function answer(request: Buffer): Buffer | number {
  const text = request.toString();
  if (text.endsWith('down')) return Buffer.from([0x08, 2]);
  if (text.endsWith('none')) return status.NOT_FOUND;
  if (text.endsWith('x') && !text.endsWith(LONG)) return status.INVALID_ARGUMENT;
  return Buffer.from([0x08, 1]);
}

beforeEach(async () => {
  server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/grpc.health.v1.Health/Check';
  const coding = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { check: { path, requestStream: false, responseStream: false, ...coding } },
    {
      check: (call: { request: Buffer }, done: (error: object | null, value?: Buffer) => void) => {
        if (call.request.toString().endsWith('slow')) return;
        const given = answer(call.request);
        if (typeof given === 'number') done({ code: given, details: 'unknown service' });
        else done(null, given);
      },
    },
  );
  port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
});
afterEach(() => server.forceShutdown());

test.each([
  ['', undefined],
  ['liveness', undefined],
  [LONG, undefined],
  ['down', 'service unhealthy (responded with "NOT_SERVING")'],
  ['none', 'health rpc failed: unknown service'],
  ['slow', 'timeout: health rpc did not complete within 0.2s'],
])('service %s', async (service, failure) => {
  expect(await grpcCheck('127.0.0.1', port, service, service === 'slow' ? 200 : 5_000)).toBe(failure);
});

test('nothing listens', async () => {
  server.forceShutdown();
  expect(await grpcCheck('127.0.0.1', port, '', 2_000)).toMatch(
    /^timeout: failed to connect service "127\.0\.0\.1:\d+" within 2s: context deadline exceeded$/,
  );
});

test('a server without the health protocol', async () => {
  server.removeService({ check: { path: '/grpc.health.v1.Health/Check' } } as never);
  expect(await grpcCheck('127.0.0.1', port, '', 5_000)).toBe(
    'this server does not implement the grpc health protocol (grpc.health.v1.Health)',
  );
});
