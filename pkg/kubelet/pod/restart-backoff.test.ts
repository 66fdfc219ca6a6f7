import { expect, test } from 'vitest';
import { RestartBackoff } from './restart-backoff.ts';

test('the first retry is free, then 10 s doubling to 5 min from the failure on, reset after 10 min of life', () => {
  const backoff = new RestartBackoff();
  const waits: number[] = [];
  let now = 0;
  for (let failure = 0; failure < 8; failure++) {
    const failedAt = now;
    const wait = backoff.waitFor('c', failedAt, now);
    waits.push(wait?.backoffMs ?? 0);
    now = wait?.untilMs ?? now;
    expect(backoff.waitFor('c', failedAt, now)).toBeUndefined();
    backoff.tried('c', failedAt, now);
    now += 1000;
  }
  expect(waits).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  now += 600_001;
  expect(backoff.waitFor('c', now, now)).toBeUndefined();
  backoff.tried('c', now, now);
  expect(backoff.waitFor('c', now, now)?.backoffMs).toBe(10_000);
});
