import { writeFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { AuditSink } from './auditor.ts';
import type { AuditEvent } from './event.ts';
import { type BufferOptions, EventBuffer, type SinkMetrics } from './event-buffer.ts';
import { RotatingFile, type RotationOptions } from './rotating-file.ts';

const WRITE_LENGTH = 1024 * 1024;
const WRITE_EVENTS = 10_000;
/** Between complaints about a file that cannot be written. */
const COMPLAIN_MS = 60_000;

export interface LogSinkDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SinkMetrics;
}

/** Writes events to a file (`-`: to standard output), a JSON object a line. */
export class LogSink implements AuditSink {
  readonly #options: RotationOptions;
  readonly #deps: LogSinkDeps;
  readonly #buffer: EventBuffer;
  readonly #file: RotatingFile;
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RotationOptions & BufferOptions, deps: LogSinkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#buffer = new EventBuffer('log', options, deps.metrics);
    this.#file = new RotatingFile(options, deps.clock);
  }

  take(event: AuditEvent): void {
    this.#buffer.push(event);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.#buffer.size > 0) {
      await this.#buffer.filled(1, signal);
      await this.#write(this.#buffer.take(WRITE_EVENTS, WRITE_LENGTH));
    }
    await this.#file.close();
  }

  async #write(events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    const text = events.map(({ json }) => `${json}\n`).join('');
    try {
      if (this.#options.path === '-') await writeFile('/dev/stdout', text, { flag: 'a' });
      else await this.#file.append(text);
    } catch (error) {
      const { clock, logger, metrics } = this.#deps;
      metrics.errors.inc({ plugin: 'log' }, events.length);
      if (clock.monotonic() - this.#complainedMs < COMPLAIN_MS) return;
      this.#complainedMs = clock.monotonic();
      logger.error({ err: error, path: this.#options.path }, 'audit events could not be written');
    }
  }
}
