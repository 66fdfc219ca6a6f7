import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { formatMicroTime, formatTime, normalizeMicroTime, normalizeTime, parseTime } from './time.ts';

test.each([
  ['2024-02-29T10:11:12Z', '2024-02-29T10:11:12Z'],
  ['2024-01-01T10:11:12.987Z', '2024-01-01T10:11:12Z'],
  ['2024-01-01T00:30:00+01:00', '2023-12-31T23:30:00Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
])('time %s -> %s', (text, canonical) => {
  expect(normalizeTime(text)).toBe(canonical);
});

test.each([
  ['', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
  [
    '2024-1-01T00:00:00Z',
    'parsing time "2024-1-01T00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse "1-01T00:00:00Z" as "01"',
  ],
  ['2024-01-01', 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
  ['2024-13-01T00:00:00Z', 'parsing time "2024-13-01T00:00:00Z": month out of range'],
  ['2023-02-29T00:00:00Z', 'parsing time "2023-02-29T00:00:00Z": day out of range'],
  ['2024-01-01T00:00:00Zx', 'parsing time "2024-01-01T00:00:00Zx": extra text: "x"'],
])('refuses %j', (text, message) => {
  expect(() => normalizeTime(text)).toThrow(message);
});

test('microseconds', () => {
  expect(normalizeMicroTime('2024-01-01T01:00:00.123456+01:00')).toBe('2024-01-01T00:00:00.123456Z');
  expect(() => normalizeMicroTime('2024-01-01T00:00:00Z')).toThrow('cannot parse "Z" as ".000000"');
  expect(formatMicroTime(1.5)).toBe('1970-01-01T00:00:00.001500Z');
  expect(formatTime(1999)).toBe('1970-01-01T00:00:01Z');
  expect(formatTime(Date.UTC(2026, 10, 26, 13, 4, 59))).toBe('2026-11-26T13:04:59Z');
  expect(formatTime(Date.UTC(999, 0, 1))).toBe('0999-01-01T00:00:00Z');
  expect(parseTime('1970-01-01T00:00:01.250Z')).toBe(1250);
});

test.each([
  ['0', 0],
  ['1h15m30.5s', 4_530_500],
  ['-1.5h', -5_400_000],
  ['100ms', 100],
  ['1us', 0.001],
  ['.5s', 500],
])('duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  ['', 'time: invalid duration ""'],
  ['5', 'time: missing unit in duration "5"'],
  ['5x', 'time: unknown unit "x" in duration "5x"'],
  ['s', 'time: invalid duration "s"'],
])('refuses duration %j', (text, message) => {
  expect(() => parseDuration(text)).toThrow(message);
});

test.each([
  [0, '0s'],
  [4_530_500, '1h15m30.5s'],
  [3_600_000, '1h0m0s'],
  [1.5, '1.5ms'],
  [-100, '-100ms'],
])('writes %d ms', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
