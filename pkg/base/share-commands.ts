import type { FollowCommand } from './follow-command.ts';

interface Shared {
  readonly listeners: Set<(line: string) => void>;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Those who follow the same command have one process of it between them; it runs while somebody follows. */
export function shareCommands(follow: FollowCommand): FollowCommand {
  const running = new Map<string, Shared>();

  const start = (key: string, command: string, args: readonly string[]): Shared => {
    const listeners = new Set<(line: string) => void>();
    const stop = new AbortController();
    const onLine = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const shared = { listeners, stop, ended: follow(command, args, onLine, stop.signal) };
    running.set(key, shared);
    void shared.ended.then(() => forget(key, shared));
    return shared;
  };
  const forget = (key: string, shared: Shared): void => {
    if (running.get(key) === shared) running.delete(key);
  };

  return async (command, args, onLine, signal) => {
    const key = JSON.stringify([command, ...args]);
    const shared = running.get(key) ?? start(key, command, args);
    const listener = (line: string): void => onLine(line);
    shared.listeners.add(listener);
    const left = Promise.withResolvers<void>();
    const leave = (): void => {
      shared.listeners.delete(listener);
      if (shared.listeners.size > 0) left.resolve();
      else {
        // Whoever comes now gets a process that is not about to end.
        forget(key, shared);
        shared.stop.abort();
      }
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    await Promise.race([shared.ended, left.promise]);
    signal.removeEventListener('abort', leave);
    shared.listeners.delete(listener);
  };
}
