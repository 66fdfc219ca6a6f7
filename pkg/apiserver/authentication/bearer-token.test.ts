import { expect, test } from 'vitest';
import { bearerToken, hasSpaceBeforeToken } from './bearer-token.ts';

const credentials = (authorization: string) => ({
  headers: { authorization },
  rawHeaders: [],
  path: '/',
  remoteAddress: '',
});

test.each<[string, string | undefined, boolean]>([
  ['Bearer abc', 'abc', false],
  [' bearer abc def', 'abc', false],
  ['Bearer  abc', undefined, true],
  ['Bearer ', undefined, false],
  ['Basic abc', undefined, false],
])('%j', (authorization, token, isSpaced) => {
  expect(bearerToken(credentials(authorization))).toBe(token);
  expect(hasSpaceBeforeToken(credentials(authorization))).toBe(isSpaced);
});
