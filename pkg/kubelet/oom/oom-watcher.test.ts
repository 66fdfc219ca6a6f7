import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { createLogger } from '../../base/logger.ts';
import { OOMWatcher } from './oom-watcher.ts';

function setUp(path: string) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const reported: string[] = [];
  const commands: string[] = [];
  let onLine: ((line: string) => void) | undefined;
  let end = (): void => {};
  const stop = new AbortController();
  const watcher = new OOMWatcher(path, {
    clock,
    logger: createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } }),
    report: (message) => void reported.push(message),
    follow: (command, args, listener, signal) => {
      commands.push([command, ...args].join(' '));
      onLine = listener;
      return new Promise((resolve) => {
        end = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    },
  });
  const done = watcher.run(stop.signal, () => {});
  return {
    clock,
    lines,
    reported,
    commands,
    stop,
    done,
    say: (...records: [number, string][]) => {
      for (const [sequence, text] of records) onLine?.(`4,${sequence},1,-;${text}`);
    },
    end: () => end(),
  };
}

test('processes that the machine had no memory for are told of once, those of limits are not', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kmsg-'));
  const path = join(dir, 'kmsg');
  await writeFile(path, '');
  const { clock, reported, commands, say, end, stop, done, lines } = setUp(path);
  await expect.poll(() => commands).toEqual([`cat ${path}`]);
  const old: [number, string][] = [
    [1, 'a invoked oom-killer: x'],
    [2, 'Out of memory: Killed process 5 (a b) x'],
  ];
  say(...old);
  // The kernel overwrote what was not read yet.
  end();
  await clock.advance(1_000);
  expect(commands).toHaveLength(2);
  say(
    ...old,
    [3, 'a invoked oom-killer: x'],
    [4, 'oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/kubepods/a,task_memcg=/kubepods/a,task=c,pid=6,uid=0'],
    [5, 'd invoked oom-killer: x'],
    [6, 'Out of memory: Killed process 7 (d) x'],
  );
  expect(reported).toEqual([
    'System OOM encountered, victim process: a b, pid: 5',
    'System OOM encountered, victim process: d, pid: 7',
  ]);
  stop.abort();
  await done;
  expect(lines).toEqual([]);
  await rm(dir, { recursive: true });
});

test('a log that cannot be read is named once', async () => {
  const { lines, commands, stop, done } = setUp('/nonexistent/kmsg');
  await expect.poll(() => lines.length).toBe(1);
  expect(lines[0]).toContain('the log of the kernel cannot be read: no SystemOOM events');
  expect(lines[0]).toContain('/nonexistent/kmsg');
  stop.abort();
  await done;
  expect([lines.length, commands]).toEqual([1, []]);
});
