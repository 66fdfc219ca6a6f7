import { writeFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { AuditFailure, type AuditMode, type AuditSink } from './auditor.ts';
import type { AuditEvent } from './event.ts';
import { type BufferedEvent, type BufferOptions, EventBuffer, type SinkMetrics } from './event-buffer.ts';
import { gather } from './gather.ts';
import { legacyLine } from './legacy-line.ts';
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

export interface LogSinkOptions extends RotationOptions, BufferOptions {
  readonly mode: AuditMode;
  readonly format: 'json' | 'legacy';
  /** In the mode `batch`: what is gathered before it is written. */
  readonly batchMaxEvents: number;
  readonly batchMaxWaitMs: number;
}

/** Writes events to a file (`-`: to standard output), one a line. */
export class LogSink implements AuditSink {
  readonly #options: LogSinkOptions;
  readonly #deps: LogSinkDeps;
  readonly #buffer: EventBuffer;
  readonly #file: RotatingFile;
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: LogSinkOptions, deps: LogSinkDeps) {
    this.#options = options;
    this.#deps = deps;
    const isUnbounded = options.mode !== 'batch';
    this.#buffer = new EventBuffer('log', { ...options, isUnbounded }, deps.metrics);
    this.#file = new RotatingFile(options, deps.clock);
  }

  take(event: AuditEvent): Promise<void> | undefined {
    const { mode } = this.#options;
    if (mode === 'batch') {
      this.#buffer.push(event);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#buffer.push(event, (error) => {
        if (error === undefined || mode === 'blocking') resolve();
        else reject(new AuditFailure(error.message, { cause: error }));
      });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.#buffer.size > 0) {
      await this.#buffer.filled(1, signal);
      const { mode, batchMaxEvents, batchMaxWaitMs } = this.#options;
      if (mode === 'batch') await gather(this.#buffer, batchMaxEvents, batchMaxWaitMs, this.#deps.clock, signal);
      await this.#write(this.#buffer.take(WRITE_EVENTS, WRITE_LENGTH));
    }
    await this.#file.close();
  }

  async #write(events: readonly BufferedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { format } = this.#options;
    const line = ({ event }: BufferedEvent): string => (format === 'json' ? event.json : legacyLine(event.fields));
    const text = events.map((one) => `${line(one)}\n`).join('');
    try {
      if (this.#options.path === '-') await writeFile('/dev/stdout', text, { flag: 'a' });
      else await this.#file.append(text);
      for (const { settled } of events) settled();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const { settled } of events) settled(failure);
      const { clock, logger, metrics } = this.#deps;
      metrics.errors.inc({ plugin: 'log' }, events.length);
      if (clock.monotonic() - this.#complainedMs < COMPLAIN_MS) return;
      this.#complainedMs = clock.monotonic();
      logger.error({ err: error, path: this.#options.path }, 'audit events could not be written');
    }
  }
}
