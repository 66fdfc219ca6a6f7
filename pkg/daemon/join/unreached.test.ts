import { expect, test } from 'vitest';
import { unreachedReason } from './unreached.ts';

test.each([
  ['CERT_HAS_EXPIRED', /certificate is not valid at this machine's time/],
  ['CERT_NOT_YET_VALID', /restart the server/],
  ['ECONNREFUSED', /^the server does not answer$/],
])('%s', (code, expected) => {
  expect(unreachedReason(Object.assign(new Error('x'), { code }))).toMatch(expected);
});
