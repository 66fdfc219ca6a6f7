import { expect, test } from 'vitest';
import { UndecidedError } from './request-certificate.ts';
import { unreachedReason } from './unreached.ts';

test.each([
  ['CERT_HAS_EXPIRED', /certificate is not valid at this machine's time/],
  ['CERT_NOT_YET_VALID', /restart the server/],
  ['ECONNREFUSED', /^the server does not answer$/],
])('%s', (code, expected) => {
  expect(unreachedReason(Object.assign(new Error('x'), { code }))).toMatch(expected);
});

test('a server that answers, but where nobody decides', () => {
  expect(unreachedReason(new UndecidedError('nobody decided'))).toBe('nobody decided');
});
