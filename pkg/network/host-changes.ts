import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '../base/clock.ts';
import type { Request, Source } from '../controller/controller.ts';

/** Reports lines of `ip -oneline monitor` until `signal` aborts or the command ends; never rejects. */
export type WatchHost = (onLine: (line: string) => void, signal: AbortSignal) => Promise<void>;

export const ipMonitor: WatchHost = (onLine, signal) =>
  new Promise((resolve) => {
    const child = spawn('ip', ['-oneline', 'monitor', 'route', 'link', 'address'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      signal,
    });
    createInterface({ input: child.stdout }).on('line', onLine);
    // Without the command, or when it is stopped: the end is all that there is to know.
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });

export interface HostChangesOptions {
  /** What is asked for when something has changed. */
  readonly request: Request;
  /** Networks to which this node has routes, and addresses that it has put on itself. */
  readonly own: () => Iterable<string>;
  readonly tunnelDevice: string;
}

export interface HostChangesDeps {
  readonly watch: WatchHost;
  readonly clock: Clock;
}

const RESTART_MS = 5000;

/** Feeds a controller when somebody else has taken away what it keeps, or an interface to other machines has changed. */
export function fromHostChanges(options: HostChangesOptions, { watch, clock }: HostChangesDeps): Source {
  const follow = async (enqueue: (request: Request) => void, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await watch((line) => {
        if (concerns(line, options)) enqueue(options.request);
      }, signal);
      await clock.sleep(RESTART_MS, signal);
      // Nobody has looked meanwhile.
      if (!signal.aborted) enqueue(options.request);
    }
  };
  return {
    start(enqueue, signal) {
      void follow(enqueue, signal);
      return Promise.resolve();
    },
  };
}

/** Pods come and go with interfaces and routes of their own: these are nothing to react to. */
export function concerns(
  line: string,
  { own, tunnelDevice }: Pick<HostChangesOptions, 'own' | 'tunnelDevice'>,
): boolean {
  const words = line.trim().split(/\s+/);
  if (words[0] === 'Deleted') {
    if (words[2] === `${tunnelDevice}:`) return true;
    const kept = new Set(own());
    return words.some((word) => kept.has(word) || kept.has(word.replace(/\/(32|128)$/, '')));
  }
  // `2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 ...`
  const [name = ''] = (words[1] ?? '').split(/[:@]/);
  return words[2]?.startsWith('<') === true && name !== tunnelDevice && !/^(veth|lo$)/.test(name);
}
