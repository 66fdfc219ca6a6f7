import { expect, test } from 'vitest';
import { decodeContinue, encodeContinue } from './continue-token.ts';

const encoded = (token: unknown): string => Buffer.from(JSON.stringify(token)).toString('base64url');

test.each([
  { revision: 7, namespace: 'n', name: 'a' },
  { revision: 7, namespace: '', name: 'a' },
  { revision: -1, namespace: 'n', name: 'a.b' },
  { revision: 7, namespace: 'n', name: 'a', beganMs: 1_700_000_000_000 },
])('a token round-trips: %j', (token) => {
  expect(decodeContinue(encodeContinue(token))).toEqual(token);
});

test.each([
  ['a!b', ': illegal base64 data at input byte 1'],
  [
    encoded({ v: 'meta.k8s.io/v2', rv: 5, start: 'a' }),
    ': server does not recognize this encoded version meta.k8s.io/v2',
  ],
  [encoded({ v: 'meta.k8s.io/v1', start: 'a' }), ': incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 5 }), ': encoded start key empty (version meta.k8s.io/v1)'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 5, start: '../../x' }), ': ../../x'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 5, start: 'a//b' }), ': a//b'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 5, start: 'a', began: 'x' }), ': not a token'],
  [encoded(7), ': not an object'],
  ['YQ', ": invalid character 'a' looking for beginning of value"],
])('%s is refused', (text, problem) => {
  expect(() => decodeContinue(text)).toThrow(`invalid continue token: continue key is not valid${problem}`);
});
