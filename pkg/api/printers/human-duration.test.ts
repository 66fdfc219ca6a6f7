import { expect, test } from 'vitest';
import { humanDuration, since } from './human-duration.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [-3 * second, '<invalid>'],
  [-second, '0s'],
  [0, '0s'],
  [119.9 * second, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 3 * second, '2m3s'],
  [10 * minute + 59 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [7 * hour + 59 * minute, '7h59m'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [7 * day + 23 * hour, '7d23h'],
  [8 * day, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [731 * day, '2y1d'],
  [8 * 365 * day + 5 * day, '8y'],
])('%i ms is %s', (durationMs, expected) => {
  expect(humanDuration(durationMs)).toBe(expected);
});

test('since', () => {
  expect(since('2024-01-01T00:00:00Z', Date.parse('2024-01-01T00:00:30Z'))).toBe('30s');
  expect(since(undefined, 0)).toBe('<unknown>');
});
