import { expect, test } from 'vitest';
import type { FollowCommand } from './follow-command.ts';
import { shareCommands } from './share-commands.ts';

/** Commands that print and end when the test says so. */
class Commands {
  readonly running: { readonly text: string; print(line: string): void; end(): void }[] = [];
  ended = 0;

  readonly follow: FollowCommand = (command, args, onLine, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        this.ended++;
        resolve();
      };
      signal.addEventListener('abort', end, { once: true });
      this.running.push({ text: [command, ...args].join(' '), print: onLine, end });
    });
}

function join(
  follow: FollowCommand,
  ...args: string[]
): { lines: string[]; stop: AbortController; ended: Promise<void> } {
  const lines: string[] = [];
  const stop = new AbortController();
  return { lines, stop, ended: follow('c', args, (line) => lines.push(line), stop.signal) };
}

test('the same command runs once, and all who follow it get its lines', async () => {
  const commands = new Commands();
  const follow = shareCommands(commands.follow);
  const [first, second, other] = [join(follow, 'a'), join(follow, 'a'), join(follow, 'b')];
  expect(commands.running.map(({ text }) => text)).toEqual(['c a', 'c b']);
  commands.running[0]?.print('1');
  first.stop.abort();
  await first.ended;
  commands.running[0]?.print('2');
  expect([first.lines, second.lines, other.lines]).toEqual([['1'], ['1', '2'], []]);
});

test('it ends with the last who follows it, and runs anew for the next', async () => {
  const commands = new Commands();
  const follow = shareCommands(commands.follow);
  const [first, second] = [join(follow), join(follow)];
  first.stop.abort();
  expect(commands.ended).toBe(0);
  second.stop.abort();
  const third = join(follow);
  await Promise.all([first.ended, second.ended]);
  expect([commands.ended, commands.running.length]).toEqual([1, 2]);
  commands.running[1]?.print('x');
  expect(third.lines).toEqual(['x']);
});

test('when it ends by itself all are told, and the next gets a new one', async () => {
  const commands = new Commands();
  const follow = shareCommands(commands.follow);
  const both = [join(follow), join(follow)];
  commands.running[0]?.end();
  await Promise.all(both.map(({ ended }) => ended));
  join(follow);
  expect(commands.running).toHaveLength(2);
});

test('who comes too late starts nothing that stays', async () => {
  const commands = new Commands();
  const follow = shareCommands(commands.follow);
  await follow('c', [], () => {}, AbortSignal.abort());
  expect(commands.ended).toBe(commands.running.length);
});
