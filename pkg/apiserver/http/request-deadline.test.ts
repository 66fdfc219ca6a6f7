import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { Query } from '../request/query.ts';
import { requestTimeoutMs, within } from './request-deadline.ts';

test.each([
  ['', 60_000],
  ['timeout=', 60_000],
  ['timeout=5s', 5000],
  ['timeout=250ms', 250],
  ['timeout=0', 60_000],
  ['timeout=-1s', 60_000],
  ['timeout=2h', 60_000],
])('%s', (query, expected) => {
  expect(requestTimeoutMs(Query.parse(query), 60_000)).toBe(expected);
});

test('what is no duration is refused', () => {
  expect(() => requestTimeoutMs(Query.parse('timeout=5'), 60_000)).toThrow(
    'invalid timeout specified in the request URL - time: missing unit in duration "5"',
  );
});

test('work in time, and work that takes too long', async () => {
  const clock = new FakeClock();
  expect(await within(Promise.resolve(1), 1000, clock)).toBe(1);
  expect(clock.pending).toBe(0);
  const late = within(new Promise(() => {}), 1000, clock);
  const refused = expect(late).rejects.toMatchObject({ status: { code: 504, reason: 'Timeout', details: {} } });
  await clock.advance(1000);
  await refused;
});
