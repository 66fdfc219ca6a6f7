import { Counter, type Metrics } from '../../base/metrics.ts';
import type { AuditEvent } from './event.ts';

export interface BufferOptions {
  readonly maxEvents: number;
  /** Of JSON, in characters. */
  readonly maxLength: number;
  /** Larger events lose their objects; what is still larger is dropped. Absent: no limit. */
  readonly maxEventLength?: number;
  /** Nothing is dropped for want of room: whoever pushes waits. */
  readonly isUnbounded?: boolean;
}

/** An event that waits for its sink. */
export interface BufferedEvent {
  readonly event: AuditEvent;
  readonly settled: (error?: Error) => void;
}

/** What the sinks count: upstream's error metric, and what was dropped. */
export class SinkMetrics {
  readonly errors: Counter;
  readonly dropped: Counter;

  constructor(metrics: Metrics) {
    const registers = [metrics];
    this.errors = new Counter({
      name: 'apiserver_audit_error_total',
      help: 'Audit events that could not be delivered.',
      labelNames: ['plugin'],
      registers,
    });
    this.dropped = new Counter({
      name: 'kube_lite_audit_dropped_events_total',
      help: 'Audit events that were dropped because their sink did not keep up.',
      labelNames: ['plugin'],
      registers,
    });
  }
}

/** Events on their way to one sink: bounded, and what does not fit is dropped. */
export class EventBuffer {
  readonly #options: BufferOptions;
  readonly #plugin: string;
  readonly #metrics: SinkMetrics;
  #events: BufferedEvent[] = [];
  #length = 0;
  #wake: () => void = () => {};

  constructor(plugin: string, options: BufferOptions, metrics: SinkMetrics) {
    this.#plugin = plugin;
    this.#options = options;
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#events.length;
  }

  /** `settled` is called once what was pushed is delivered, or is not going to be. */
  push(event: AuditEvent, settled: (error?: Error) => void = () => {}): void {
    const { maxEvents, maxLength, maxEventLength = Number.POSITIVE_INFINITY, isUnbounded = false } = this.#options;
    const kept = event.json.length > maxEventLength ? event.withoutObjects() : event;
    const { length } = kept.json;
    const hasRoom = isUnbounded || (this.#events.length < maxEvents && this.#length + length <= maxLength);
    if (length > maxEventLength || !hasRoom) {
      this.#metrics.dropped.inc({ plugin: this.#plugin });
      this.#metrics.errors.inc({ plugin: this.#plugin });
      settled(new Error('the event was dropped'));
      return;
    }
    this.#events.push({ event: kept, settled });
    this.#length += length;
    this.#wake();
  }

  /** The oldest events, at most so many and of so many characters in all (but one at least). */
  take(maxEvents: number, maxLength: number): BufferedEvent[] {
    let count = 0;
    let length = 0;
    for (const { event } of this.#events) {
      if (count >= maxEvents || (count > 0 && length + event.json.length > maxLength)) break;
      count++;
      length += event.json.length;
    }
    const taken = this.#events.slice(0, count);
    this.#events = this.#events.slice(count);
    this.#length -= length;
    return taken;
  }

  /** Resolves when there are `count` events, or when `signal` aborts. */
  async filled(count: number, signal: AbortSignal): Promise<void> {
    while (this.#events.length < count && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }
}
