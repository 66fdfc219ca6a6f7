import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';

/** Starts a command and reports the lines that it prints until it ends or `signal` aborts; never rejects. */
export type FollowCommand = (
  command: string,
  args: readonly string[],
  onLine: (line: string) => void,
  signal: AbortSignal,
) => Promise<void>;

/** The command ends with this process, also when that is killed: it may have nothing to print for months, and nobody else ends it. */
export const followCommand: FollowCommand = (command, args, onLine, signal) =>
  new Promise((resolve) => {
    const bound = ['--pdeathsig', 'KILL', '--', command, ...args];
    const child = spawn('setpriv', bound, { stdio: ['ignore', 'pipe', 'ignore'], signal });
    createInterface({ input: child.stdout }).on('line', onLine);
    // Without the command, or when it is stopped: the end is all that there is to know.
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });

export interface Followed {
  readonly command: string;
  readonly args: readonly string[];
  readonly onLine: (line: string) => void;
  /** The command has ended and is started again: lines may have been missed. */
  readonly onGap: () => void;
}

/** Follows a command that reports changes of the host, and starts it again whenever it ends; never rejects. */
export async function keepFollowing(
  { command, args, onLine, onGap }: Followed,
  { follow, clock }: { readonly follow: FollowCommand; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff({ initialMs: 1000, maxMs: 300_000 });
  while (!signal.aborted) {
    await follow(
      command,
      args,
      (line) => {
        backoff.reset();
        onLine(line);
      },
      signal,
    );
    await clock.sleep(backoff.next(), signal);
    if (!signal.aborted) onGap();
  }
}
