import { Agent } from 'undici';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { HTTPTransportOptions, RestClientMetrics } from '../../client/index.ts';
import { trustOf, verifyingConnector } from '../trust/index.ts';
import { AuditFailure, type AuditMode, type AuditSink } from './auditor.ts';
import type { AuditEvent } from './event.ts';
import { type BufferOptions, EventBuffer, type SinkMetrics } from './event-buffer.ts';
import { gather } from './gather.ts';

export interface WebhookSinkOptions extends BufferOptions {
  readonly mode: AuditMode;
  /** From a kubeconfig; `server` is the whole URL. */
  readonly target: HTTPTransportOptions;
  /** A batch is sent when it has so many events, or is so old. */
  readonly batchMaxEvents: number;
  readonly batchMaxWaitMs: number;
  /** Of JSON, in characters. */
  readonly batchMaxLength: number;
  readonly initialBackoffMs: number;
  /** Batches a second on average, and how many at once after a pause; absent: as many as there are. */
  readonly throttle?: { readonly qps: number; readonly burst: number };
}

export interface WebhookSinkDeps {
  readonly clock: Clock;
  readonly requests: RestClientMetrics;
  readonly logger: Logger;
  readonly metrics: SinkMetrics;
}

const ATTEMPTS = 5;
const BACKOFF_FACTOR = 1.5;
const TIMEOUT_MS = 30_000;
/** What an answer may have; the rest of it is not read. */
const ANSWER_BYTES = 64 * 1024;
/** What is left at the end is sent in one attempt that may take this long. */
const LAST_MS = 3000;
const COMPLAIN_MS = 60_000;

/** Sends events to a webhook in batches, one after the other. While it hangs, the buffer fills; requests never wait. */
export class WebhookSink implements AuditSink {
  readonly #options: WebhookSinkOptions;
  readonly #deps: WebhookSinkDeps;
  readonly #buffer: EventBuffer;
  readonly #url: URL;
  readonly #agent: Agent;
  /** Ends what is sent while somebody waits for it. */
  readonly #stopped = new AbortController();
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: WebhookSinkOptions, deps: WebhookSinkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#buffer = new EventBuffer('webhook', options, deps.metrics);
    this.#url = new URL(options.target.server);
    this.#agent = new Agent({
      allowH2: false,
      keepAliveTimeout: TIMEOUT_MS,
      headersTimeout: TIMEOUT_MS,
      connect: verifyingConnector(trustOf(options.target), TIMEOUT_MS, deps.clock),
    });
  }

  take(event: AuditEvent): Promise<void> | undefined {
    const { mode, maxEventLength = Number.POSITIVE_INFINITY } = this.#options;
    if (mode === 'batch') {
      this.#buffer.push(event);
      return undefined;
    }
    const sent = event.json.length > maxEventLength ? event.withoutObjects() : event;
    return this.#deliver([sent], this.#stopped.signal).then((error) => {
      if (error !== undefined && mode === 'blocking-strict') throw new AuditFailure(error.message, { cause: error });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const { batchMaxEvents, batchMaxWaitMs, batchMaxLength, throttle } = this.#options;
    let tokens = throttle?.burst ?? 0;
    let refilledMs = clock.monotonic();
    while (!signal.aborted) {
      await this.#buffer.filled(1, signal);
      await gather(this.#buffer, batchMaxEvents, batchMaxWaitMs, clock, signal);
      const now = clock.monotonic();
      if (throttle !== undefined) {
        const { qps, burst } = throttle;
        tokens = Math.min(burst, tokens + ((now - refilledMs) * qps) / 1000);
        refilledMs = now;
        if (tokens < 1) await clock.sleep(((1 - tokens) * 1000) / qps, signal);
        tokens--;
      }
      if (!signal.aborted) await this.#deliver(eventsOf(this.#buffer.take(batchMaxEvents, batchMaxLength)), signal);
    }
    this.#stopped.abort();
    const rest = eventsOf(this.#buffer.take(Number.POSITIVE_INFINITY, batchMaxLength));
    if (rest.length > 0) await this.#tryLast(rest);
    await this.#agent.destroy();
  }

  /** Sends one batch, several times if need be; what cannot be sent is given up, with the error. */
  async #deliver(events: readonly AuditEvent[], signal: AbortSignal): Promise<Error | undefined> {
    const { clock } = this.#deps;
    const backoff = new Backoff({
      initialMs: this.#options.initialBackoffMs,
      maxMs: 10 * this.#options.initialBackoffMs,
      factor: BACKOFF_FACTOR,
    });
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#post(events, signal);
        return undefined;
      } catch (error) {
        const retry = !(error instanceof RefusedBatch) && attempt < ATTEMPTS && !signal.aborted;
        if (!retry) return this.#giveUp(error, events.length);
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  async #tryLast(events: readonly AuditEvent[]): Promise<void> {
    const stop = new AbortController();
    const cancel = this.#deps.clock.after(LAST_MS, () => stop.abort());
    try {
      await this.#post(events, stop.signal);
    } catch (error) {
      this.#giveUp(error, events.length);
    } finally {
      cancel();
    }
  }

  /** Rejects with RefusedBatch for what is no use to send again, and with whatever else failed. */
  async #post(events: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
    const { token } = this.#options.target;
    const items = events.map(({ json }) => json).join(',');
    const request = {
      origin: this.#url.origin,
      path: `${this.#url.pathname}${this.#url.search}`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'kube-lite/audit',
        ...(token === undefined ? {} : { authorization: `Bearer ${await token()}` }),
      },
      body: `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items}]}`,
      bodyTimeout: TIMEOUT_MS,
      signal,
    } as const;
    const send = () => this.#agent.request(request);
    const answer = await this.#deps.requests.observed('POST', this.#url.host, send);
    await answer.body.dump({ limit: ANSWER_BYTES, signal });
    const { statusCode } = answer;
    if (statusCode < 300) return;
    const problem = `the audit webhook answered ${statusCode}`;
    throw statusCode === 429 || statusCode >= 500 ? new Error(problem) : new RefusedBatch(problem);
  }

  #giveUp(error: unknown, count: number): Error {
    const { clock, logger, metrics } = this.#deps;
    metrics.errors.inc({ plugin: 'webhook' }, count);
    const failure = error instanceof Error ? error : new Error(String(error));
    if (clock.monotonic() - this.#complainedMs < COMPLAIN_MS) return failure;
    this.#complainedMs = clock.monotonic();
    logger.error({ err: error, events: count }, 'audit events could not be sent');
    return failure;
  }
}

function eventsOf(buffered: readonly { readonly event: AuditEvent }[]): AuditEvent[] {
  return buffered.map(({ event }) => event);
}

class RefusedBatch extends Error {}
