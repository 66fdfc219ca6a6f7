import { expect, test } from 'vitest';
import { isPasswordOf, isSupportedHash } from './password-hash.ts';

const long = 'a much longer password, of more than 16 bytes';

test.each([
  ['geheim', '$apr1$abcdefgh$bw9gEObk10asetVLiysIZ0'],
  ['', '$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie.'],
  [long, '$1$xyz$H1XHJxPSx7S7O8drWCBIG/'],
  ['password', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
  ['password', '{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0'],
  ['password', '{PLAIN}password'],
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
  ['geheim äöü lang genug', '$2b$06$abcdefghijklmnopqrstuu3iq0g/X0UoKzas0fFvz/cS985KTU1Um'],
])('%j is the password of %s, and nothing else is', (password, hash) => {
  expect(isSupportedHash(hash)).toBe(true);
  expect(isPasswordOf(hash, password)).toBe(true);
  for (const other of [`${password}x`, password.toUpperCase() === password ? 'x' : password.toUpperCase()])
    expect(isPasswordOf(hash, other)).toBe(false);
});

test.each([
  '$2y$09$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  '$6$salt$abc',
  'CPszY0hCAbYc6',
  '{SSHA}c2hvcnQ=',
  '',
])('%j lets nobody in', (hash) => {
  expect(isPasswordOf(hash, 'password')).toBe(false);
  expect(isPasswordOf(hash, '')).toBe(false);
});
