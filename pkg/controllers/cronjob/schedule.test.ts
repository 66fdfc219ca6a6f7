import { describe, expect, test } from 'vitest';
import { parseSchedule, ScheduleError } from './schedule.ts';

const next = (schedule: string, from: string, zone?: string): string | undefined => {
  const ms = parseSchedule(schedule, zone).next(Date.parse(from));
  return ms === undefined ? undefined : new Date(ms).toISOString().replace(':00.000Z', '');
};

describe('cron schedules', () => {
  test.each([
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01'],
    ['* * * * *', '2026-01-01T00:00:59Z', '2026-01-01T00:01'],
    ['5/15 * * * *', '2026-01-01T00:06:00Z', '2026-01-01T00:20'],
    ['5/15 * * * *', '2026-01-01T00:50:00Z', '2026-01-01T01:05'],
    ['*/7 * * * *', '2026-01-01T00:56:00Z', '2026-01-01T01:00'],
    ['10-20/5 3 * * *', '2026-01-01T03:16:00Z', '2026-01-01T03:20'],
    ['0 12 31 * *', '2026-01-31T12:00:00Z', '2026-03-31T12:00'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', undefined],
    ['0 0 * jan,Jul MON-fri', '2026-01-31T00:00:00Z', '2026-07-01T00:00'],
    // Both day fields restricted: either; `*/2` restricts, `*/1` and `?` do not.
    ['0 0 13 * 5', '2026-01-03T00:00:00Z', '2026-01-09T00:00'],
    ['0 0 */2 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['0 0 ? * 5', '2026-01-03T00:00:00Z', '2026-01-09T00:00'],
    ['0 0 */1 * 5', '2026-01-03T00:00:00Z', '2026-01-09T00:00'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
    ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00'],
    ['@every 1h30m', '2026-01-01T00:00:00.5Z', '2026-01-01T01:30'],
    ['@every 10ms', '2026-01-01T00:00:59Z', '2026-01-01T00:01'],
    ['TZ=Asia/Tokyo 0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
  ])('%s after %s: %s', (schedule, from, expected) => {
    expect(next(schedule, from)).toBe(expected);
  });

  test.each([
    // Clocks go from 2:00 to 3:00 on March 8 and from 2:00 back to 1:00 on November 1.
    ['30 2 * * *', '2026-03-08T00:00:00-05:00', '2026-03-09T06:30'],
    ['30 3 * * *', '2026-03-08T00:00:00-05:00', '2026-03-08T07:30'],
    ['0 * * * *', '2026-03-08T01:00:00-05:00', '2026-03-08T07:00'],
    ['30 1 * * *', '2026-11-01T00:00:00-04:00', '2026-11-01T05:30'],
    ['30 1 * * *', '2026-11-01T01:30:00-04:00', '2026-11-01T06:30'],
    ['0,30 1 * * *', '2026-11-01T01:00:00-04:00', '2026-11-01T05:30'],
    ['0 0 * * *', '2026-11-01T00:00:00-04:00', '2026-11-02T05:00'],
  ])('New York: %s after %s: %s', (schedule, from, expected) => {
    expect(next(schedule, from, 'America/New_York')).toBe(expected);
  });

  test.each([
    '',
    '* * * *',
    '60 * * * *',
    '5-1 * * * *',
    '*/0 * * * *',
    '@often',
    '@every x',
    '1-2-3 * * * *',
    'a * * * *',
  ])('%j is refused', (schedule) => {
    expect(() => parseSchedule(schedule)).toThrow(ScheduleError);
  });

  test('an unknown zone is refused', () => {
    expect(() => parseSchedule('* * * * *', 'Mars/Base')).toThrow('unknown time zone Mars/Base');
  });
});
