import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
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

test('a command ends with the process that follows it, even when that is killed', async () => {
  const module = JSON.stringify(new URL('follow-command.ts', import.meta.url).href);
  const script = `
    const { followCommand } = await import(${module});
    followCommand('sh', ['-c', 'echo $$; exec sleep 600'], (line) => process.stdout.write(line), new AbortController().signal);`;
  const follower = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = (await once(follower.stdout, 'data')) as [Buffer];
  const state = async (): Promise<string> => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') gone');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? '';
  };
  expect(await state()).not.toMatch(/^(gone|Z|X)$/);
  follower.kill('SIGKILL');
  await expect.poll(state, { timeout: 10_000, interval: 10 }).toMatch(/^(gone|Z|X)$/);
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
