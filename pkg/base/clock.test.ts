import { expect, test } from 'vitest';
import { FakeClock, monotonicSince } from './clock.ts';

test('a moment of the past has its monotonic time, one of the future is now', async () => {
  const clock = new FakeClock(0);
  await clock.advance(10_000);
  expect(monotonicSince(clock, 4_000)).toBe(4_000);
  clock.setWall(-3_600_000);
  expect(clock.now()).toBe(10_000 - 3_600_000);
  expect(monotonicSince(clock, 4_000)).toBe(10_000);
});

test('setting the wall clock moves no timer', async () => {
  const clock = new FakeClock();
  let fired = false;
  clock.after(1_000, () => {
    fired = true;
  });
  clock.setWall(3_600_000);
  await clock.advance(999);
  expect(fired).toBe(false);
  clock.setWall(-7_200_000);
  await clock.advance(1);
  expect(fired).toBe(true);
});
