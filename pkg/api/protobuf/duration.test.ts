import { expect, test } from 'vitest';
import { durationNanos, durationText } from './duration.ts';

test.each([
  ['0s', 0],
  ['15s', 15e9],
  ['1.5s', 1.5e9],
  ['20ms', 20e6],
  ['1m30s', 90e9],
  ['1h0m5s', 3605e9],
  ['-2s', -2e9],
])('%s is %d ns', (text, nanos) => {
  expect(durationNanos(text)).toBe(nanos);
  expect(durationText(nanos)).toBe(text);
});

test('what is no duration counts as none', () => {
  expect(durationNanos('soon')).toBe(0);
});
