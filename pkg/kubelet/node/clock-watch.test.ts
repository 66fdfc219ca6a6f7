import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { ClockWatch } from './clock-watch.ts';

test('a wall clock that is set, forwards or back, is noticed once', async () => {
  const clock = new FakeClock();
  let noticed = 0;
  const wasSet = (): void => {
    noticed++;
  };
  const stop = new AbortController();
  const running = new ClockWatch({ clock, logger: silentLogger, wasSet }).run(stop.signal, () => {});
  const after: number[] = [];
  for (const byMs of [0, 2 * 3_600_000, 0, 1_000, -3_600_000, 0]) {
    clock.setWall(byMs);
    await clock.advance(60_000);
    after.push(noticed);
  }
  expect(after).toEqual([0, 1, 1, 1, 2, 2]);
  stop.abort();
  await running;
  expect(clock.pending).toBe(0);
});
