import { type Clock, systemClock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { TallyCounter, TallyHistogram } from '../base/tallies.ts';

/** What this process asks other servers over HTTP, by the names of client-go. One instance serves all its clients. */
export class RestClientMetrics {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #requests: TallyCounter<'code' | 'method' | 'host'>;
  readonly #duration: TallyHistogram<'verb' | 'host'>;

  constructor(metrics: Metrics, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#clock = clock;
    this.#requests = new TallyCounter(
      {
        name: 'rest_client_requests_total',
        help: 'Requests to other servers by code, method and host.',
        labelNames: ['code', 'method', 'host'],
      },
      metrics,
    );
    this.#duration = new TallyHistogram(
      {
        name: 'rest_client_request_duration_seconds',
        help: 'Time until the head of an answer is there, by method and host.',
        labelNames: ['verb', 'host'],
        buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
      },
      metrics,
    );
  }

  /** Passes on what comes of a request, and counts it. `host`: with the port. */
  async observed<T extends { readonly statusCode: number }>(
    method: string,
    host: string,
    request: () => Promise<T>,
  ): Promise<T> {
    const startedMs = this.#clock.monotonic();
    let code = '<error>';
    try {
      const answer = await request();
      code = String(answer.statusCode);
      return answer;
    } finally {
      this.#requests.labels({ code, method, host }).inc();
      this.#duration.labels({ verb: method, host }).observe((this.#clock.monotonic() - startedMs) / 1000);
    }
  }
}
