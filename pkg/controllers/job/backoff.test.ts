import { expect, test } from 'vitest';
import { remainingMs } from './backoff.ts';

const HOUR_MS = 3_600_000;

test.each([
  ['no failure', 0, undefined, 0],
  ['the first', 1, 0, 10_000],
  ['the second, 5 s ago', 2, -5_000, 15_000],
  ['many', 40, 0, 600_000],
  ['long ago', 3, -HOUR_MS, 0],
  ['the clock was set back since', 2, HOUR_MS, 20_000],
])('%s', (_, failures, lastFailureMs, leftMs) => {
  expect(remainingMs({ failures, lastFailureMs }, 0)).toBe(leftMs);
});
