import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { Underway } from './underway.ts';

const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('draining ends watches and waits for requests', async () => {
  const clock = new FakeClock();
  const underway = new Underway();
  const ended: string[] = [];
  underway.watching({ end: () => ended.push('early') });
  underway.watching({ end: () => ended.push('gone') })();
  const first = { shouldKeepAlive: true };
  const second = { shouldKeepAlive: true };
  underway.begin(first);
  underway.begin(second);
  let done = false;
  const drained = underway.drain(1000, clock).then(() => {
    done = true;
  });
  underway.watching({ end: () => ended.push('late') });
  expect(ended).toEqual(['early', 'late']);
  expect(first.shouldKeepAlive).toBe(false);
  underway.finish(first);
  await flush();
  expect(done).toBe(false);
  underway.finish(second);
  await drained;
  expect(clock.pending).toBe(0);
});

test('it does not wait for ever', async () => {
  const clock = new FakeClock();
  const underway = new Underway();
  underway.begin({ shouldKeepAlive: true });
  const drained = underway.drain(1000, clock);
  await clock.advance(1000);
  await drained;
  const late = { shouldKeepAlive: true };
  underway.begin(late);
  expect(late.shouldKeepAlive).toBe(false);
});
