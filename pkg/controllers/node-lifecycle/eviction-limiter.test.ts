import { expect, test } from 'vitest';
import { EvictionLimiter } from './eviction-limiter.ts';

test('one at once, the next when its time has come; unused turns are not saved up', () => {
  const limiter = new EvictionLimiter(0.1, 0);
  expect([0, 0, 4000, 10_000, 10_001, 60_000, 60_000].map((at) => limiter.take(at))).toEqual([
    0, 10_000, 6000, 0, 9999, 0, 10_000,
  ]);
});

test('another rate: who waits does so anew, who need not wait still need not', () => {
  const limiter = new EvictionLimiter(0.1, 0);
  expect([limiter.setRate(0.1, 0), limiter.setRate(0.01, 0), limiter.take(0)]).toEqual([false, true, 0]);
  limiter.setRate(0.1, 5000);
  expect(limiter.take(5000)).toBe(10_000);
});

test('no turn at rate 0, and a whole one to wait for afterwards', () => {
  const limiter = new EvictionLimiter(0.1, 0);
  limiter.setRate(0, 0);
  expect(limiter.take(60_000)).toBeUndefined();
  limiter.setRate(0.1, 60_000);
  expect(limiter.take(60_000)).toBe(10_000);
});
