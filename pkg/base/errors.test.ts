import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describeError, systemErrorText } from './errors.ts';

test('errors of the system as Go words them', async () => {
  const error = await open('/no/such/file').catch((reason: unknown) => reason);
  expect(systemErrorText(error)).toBe('open /no/such/file: no such file or directory');
  expect(systemErrorText(new Error('plain'))).toBe('plain');
});

test('an error with its causes, each said once', () => {
  const cause = new Error('no such file', { cause: new Error('ENOENT') });
  expect(describeError(new Error('start failed', { cause }))).toBe('start failed: no such file: ENOENT');
  expect(describeError(new Error('start failed: no such file', { cause }))).toBe('start failed: no such file: ENOENT');
  expect(describeError('text')).toBe('text');
});
