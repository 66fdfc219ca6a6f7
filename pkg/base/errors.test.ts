import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { systemErrorText } from './errors.ts';

test('errors of the system as Go words them', async () => {
  const error = await open('/no/such/file').catch((reason: unknown) => reason);
  expect(systemErrorText(error)).toBe('open /no/such/file: no such file or directory');
  expect(systemErrorText(new Error('plain'))).toBe('plain');
});
