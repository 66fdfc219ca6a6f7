import { expect, test } from 'vitest';
import { FakeClock } from './clock.ts';
import { type FollowCommand, followCommand, keepFollowing } from './follow-command.ts';

test('lines come until the command ends', async () => {
  const lines: string[] = [];
  await followCommand('sh', ['-c', 'echo one; echo two'], (line) => lines.push(line), new AbortController().signal);
  expect(lines).toEqual(['one', 'two']);
});

test('a command that cannot be started, or is stopped, only ends', async () => {
  const stop = new AbortController();
  await followCommand('/nonexistent', [], () => {}, stop.signal);
  const running = followCommand('sleep', ['60'], () => {}, stop.signal);
  stop.abort();
  await running;
  expect(stop.signal.aborted).toBe(true);
});

test('a command that ends is started again, later each time while it says nothing', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const startedMs: number[] = [];
  let gaps = 0;
  const follow: FollowCommand = (_command, _args, onLine) => {
    startedMs.push(clock.monotonic());
    if (startedMs.length === 3) onLine('x');
    return Promise.resolve();
  };
  const watched = { command: 'c', args: [], onLine: () => {}, onGap: () => gaps++ };
  const following = keepFollowing(watched, { follow, clock }, stop.signal);
  for (let second = 0; second < 5; second++) await clock.advance(1000);
  stop.abort();
  await following;
  expect(startedMs.map((ms) => ms - (startedMs[0] ?? 0))).toEqual([0, 1000, 3000, 4000]);
  expect(gaps).toBe(3);
});
