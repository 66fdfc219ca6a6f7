import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { Alarm } from './alarm.ts';

async function sleeping(alarm: Alarm, signal = new AbortController().signal): Promise<() => boolean> {
  let isOver = false;
  alarm.sleep(signal).then(
    () => {
      isOver = true;
    },
    () => {},
  );
  await Promise.resolve();
  return () => isOver;
}

test('the first turn is due, and what wakes during a turn makes the next one due', async () => {
  const alarm = new Alarm(new FakeClock());
  await alarm.sleep(new AbortController().signal);
  alarm.begin();
  alarm.wake();
  await alarm.sleep(new AbortController().signal);
  alarm.begin();
  const isOver = await sleeping(alarm);
  expect(isOver()).toBe(false);
  alarm.wake();
  await expect.poll(isOver).toBe(true);
});

test('the earliest time counts, and no timer is left', async () => {
  const clock = new FakeClock(0);
  const alarm = new Alarm(clock);
  alarm.begin();
  alarm.wakeBy(500);
  alarm.wakeBy(200);
  alarm.wakeBy(900);
  const isOver = await sleeping(alarm);
  await clock.advance(199);
  expect(isOver()).toBe(false);
  await clock.advance(1);
  expect(isOver()).toBe(true);
  alarm.begin();
  alarm.wakeBy(2000);
  const stop = new AbortController();
  const ended = await sleeping(alarm, stop.signal);
  stop.abort();
  await expect.poll(ended).toBe(true);
  expect(clock.pending).toBe(0);
});
