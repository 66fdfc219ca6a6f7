import { expect, test } from 'vitest';
import { checkMethod, containerPath, RequestError, requestAttributes } from './requests.ts';

test.each([
  ['GET', '/pods', 'get', ['pods', 'proxy']],
  ['GET', '/runningpods/', 'get', ['pods', 'proxy']],
  ['GET', '/healthz/syncloop', 'get', ['healthz', 'proxy']],
  ['GET', '/configz', 'get', ['configz', 'proxy']],
  ['GET', '/metrics/cadvisor', 'get', ['metrics']],
  ['GET', '/stats/summary', 'get', ['stats']],
  ['GET', '/logs/x', 'get', ['log']],
  ['GET', '/statusz', 'get', ['statusz']],
  ['GET', '/flagz', 'get', ['configz']],
  ['GET', '/spec/', 'get', ['proxy']],
  ['POST', '/checkpoint/n/p/c', 'create', ['checkpoint']],
  ['GET', '/exec/n/p/c', 'get', ['proxy']],
  ['POST', '/run/n/p/c', 'create', ['proxy']],
])('%s %s', (method, path, verb, subresources) => {
  expect(requestAttributes(method, path)).toEqual({ verb, subresources });
});

test('paths of containers', () => {
  expect(containerPath(['n', 'p', 'c'])).toEqual({ namespace: 'n', pod: 'p', uid: undefined, container: 'c' });
  expect(containerPath(['n', 'p', 'u', 'c'])).toEqual({ namespace: 'n', pod: 'p', uid: 'u', container: 'c' });
  expect(() => containerPath(['n', 'p'])).toThrow(RequestError);
  expect(() => containerPath(['n', '%zz', 'c'])).toThrow('the path is badly escaped');
});

test('methods', () => {
  for (const [first, method] of [
    ['pods', 'GET'],
    ['exec', 'POST'],
    ['run', 'POST'],
    ['healthz', 'PUT'],
    ['statusz', 'POST'],
  ] as const)
    checkMethod(first, method);
  for (const [first, method] of [
    ['pods', 'PUT'],
    ['run', 'GET'],
    ['containerLogs', 'POST'],
  ] as const)
    expect(() => checkMethod(first, method)).toThrow('Method Not Allowed');
});
