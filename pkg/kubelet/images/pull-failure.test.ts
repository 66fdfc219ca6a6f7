import { expect, test } from 'vitest';
import { CriError } from '../../cri/index.ts';
import { pullErrorText, pullFailure } from './pull-failure.ts';

test('codes are told that say something, equal texts once', () => {
  const unknown = new CriError('Unknown', 'no route to host');
  const missing = new CriError('NotFound', 'a:1: not found');
  expect(pullErrorText([unknown])).toBe('no route to host');
  expect(pullErrorText([missing, missing])).toBe('rpc error: code = NotFound desc = a:1: not found');
  expect(pullErrorText([unknown, missing])).toBe(
    '[no route to host, rpc error: code = NotFound desc = a:1: not found]',
  );
});

test.each([
  ['refused', 'ErrImagePull', 'refused'],
  [
    'RegistryUnavailable: 503',
    'RegistryUnavailable',
    'image pull failed for a:1 because the registry is unavailable: 503',
  ],
  [
    'SignatureValidationFailed: key',
    'SignatureValidationFailed',
    'image pull failed for a:1 because the signature validation failed: key',
  ],
])('%s', (text, reason, message) => {
  expect(pullFailure('a:1', text)).toEqual({ reason, message });
});
