import { constants, open } from 'node:fs/promises';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { type FollowCommand, followCommand, keepFollowing } from '../../base/follow-command.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { parseKernelRecord } from './kernel-log.ts';
import { OOMReports } from './oom-reports.ts';

const MAX_RECORD_BYTES = 8_192;
/** Of one who asks not to wait: there is no record yet, or the next one was overwritten. */
const NO_RECORD: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EPIPE']);

export interface OOMWatcherDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The machine has run out of memory. */
  readonly report: (message: string) => void;
  readonly follow?: FollowCommand;
}

/**
 * Tells of processes that the kernel kills because the machine has no memory left: those of limits are told of by their containers.
 * Upstream's OOM watcher, which also begins with what the kernel's log holds from before.
 */
export class OOMWatcher implements Component {
  readonly name = 'oom-watcher';
  /** `/dev/kmsg` */
  readonly #path: string;
  readonly #deps: OOMWatcherDeps;
  readonly #reports = new OOMReports();
  #seen = -1;

  constructor(path: string, deps: OOMWatcherDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger, follow = followCommand } = this.#deps;
    const error = await whyUnreadable(this.#path);
    if (error !== undefined) {
      logger.warn({ err: error, path: this.#path }, 'the log of the kernel cannot be read: no SystemOOM events');
      return aborted(signal);
    }
    // Reading waits for the next record: in a process of its own it holds nothing up here.
    const followed = {
      command: 'cat',
      args: [this.#path],
      onLine: (line: string) => this.#line(line),
      // It begins anew with the oldest record.
      onGap: () => {},
    };
    return keepFollowing(followed, { follow, clock }, signal);
  }

  #line(line: string): void {
    const record = parseKernelRecord(line);
    if (record === undefined || record.sequence <= this.#seen) return;
    this.#seen = record.sequence;
    const found = this.#reports.add(record.message);
    if (found?.cgroup !== '/') return;
    const { process, pid } = found;
    this.#deps.report(`System OOM encountered, victim process: ${process}, pid: ${pid}`);
  }
}

/** Undefined when it can be read. */
async function whyUnreadable(path: string): Promise<unknown> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      await file.read(Buffer.alloc(MAX_RECORD_BYTES));
    } finally {
      await file.close();
    }
    return undefined;
  } catch (error) {
    return NO_RECORD.has((error as NodeJS.ErrnoException).code) ? undefined : error;
  }
}
