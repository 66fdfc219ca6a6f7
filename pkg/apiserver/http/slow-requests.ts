import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { RequestInfo } from '../contract.ts';
import { single } from './http-request-context.ts';

/** Upstream's threshold for the traces that it logs. */
const SLOW_MS = 500;
/** When everything is slow, not everything is logged. */
const PAUSE_MS = 100;

/** Logs requests that took long, with what is needed to find them in the logs of others. */
export class SlowRequests {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #passedOver = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `waitedMs`: of it, for a seat. */
  observe(
    request: IncomingMessage,
    info: RequestInfo,
    answer: { readonly auditID: string; readonly code: number; readonly tookMs: number; readonly waitedMs: number },
  ): void {
    if (answer.tookMs < SLOW_MS) return;
    const now = this.#clock.monotonic();
    if (now - this.#loggedMs < PAUSE_MS) {
      this.#passedOver++;
      return;
    }
    this.#loggedMs = now;
    const { headers, url, method } = request;
    this.#logger.info(
      {
        method,
        url,
        verb: info.verb,
        code: answer.code,
        tookMs: Math.round(answer.tookMs),
        waitedMs: Math.round(answer.waitedMs),
        auditID: answer.auditID,
        userAgent: single(headers['user-agent']),
        ...(headers['traceparent'] === undefined ? {} : { traceparent: single(headers['traceparent']) }),
        ...(headers['x-request-id'] === undefined ? {} : { requestID: single(headers['x-request-id']) }),
        ...(this.#passedOver === 0 ? {} : { othersNotLogged: this.#passedOver }),
      },
      'slow request',
    );
    this.#passedOver = 0;
  }
}
