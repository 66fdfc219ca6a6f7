import type { Clock } from '../base/clock.ts';
import { type FollowCommand, keepFollowing } from '../base/follow-command.ts';
import type { Request, Source } from '../controller/controller.ts';

export interface HostChangesOptions {
  /** What is asked for when something has changed. */
  readonly request: Request;
  /** Networks and machines to which this node has routes, networks for which it has rules, addresses that it has put on itself. */
  readonly own: () => Iterable<string>;
  readonly tunnelDevice: string;
}

export interface HostChangesDeps {
  readonly follow: FollowCommand;
  readonly clock: Clock;
}

/**
 * Feeds a controller when somebody else has taken away what it keeps, an interface to other machines has changed, or a
 * firewall has been started.
 */
export function fromHostChanges(options: HostChangesOptions, deps: HostChangesDeps): Source {
  return {
    start(enqueue, signal) {
      const ask = (): void => enqueue(options.request);
      const watch = (command: string, args: readonly string[], matters: (line: string) => boolean): void => {
        const onLine = (line: string): void => {
          if (matters(line)) ask();
        };
        void keepFollowing({ command, args, onLine, onGap: ask }, deps, signal);
      };
      watch('ip', ['-oneline', 'monitor', 'route', 'link', 'address', 'rule'], (line) => concerns(line, options));
      watch('nft', ['monitor', 'chains'], filters);
      return Promise.resolve();
    },
  };
}

/** A chain where packets to or through this host are let in or dropped has come or has another policy. */
export function filters(line: string): boolean {
  return /^add chain .* type filter hook (input|forward) /.test(line);
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
