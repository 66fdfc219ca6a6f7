import type { Metrics } from '../../base/metrics.ts';
import { type CounterSeries, type HistogramSeries, TallyCounter, TallyHistogram } from '../../base/tallies.ts';

/** From a millisecond on, doubled each time, as upstream has it. */
const BUCKETS = Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power);
/** Users that upstream counts by their name. */
const COUNTED: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
]);

type Attempts<R extends string> = Readonly<
  Record<R, { readonly count: CounterSeries; readonly duration: HistogramSeries }>
>;

/** Upstream's metrics of who makes requests and whether they may. */
export class AccessMetrics {
  readonly #authentications: Attempts<'success' | 'failure'>;
  readonly #authorizations: Attempts<'allowed' | 'denied'>;
  readonly #users: TallyCounter<'username'>;
  readonly #others: CounterSeries;

  constructor(metrics: Metrics) {
    this.#authentications = attempts(
      metrics,
      ['authentication_attempts', 'authentication_duration_seconds', 'authentication'],
      ['success', 'failure'],
    );
    this.#authorizations = attempts(
      metrics,
      ['authorization_attempts_total', 'authorization_duration_seconds', 'authorization'],
      ['allowed', 'denied'],
    );
    this.#users = new TallyCounter(
      { name: 'authenticated_user_requests', help: 'Requests by the kind of their user.', labelNames: ['username'] },
      metrics,
    );
    this.#others = this.#users.labels({ username: 'other' });
  }

  authenticated(result: 'success' | 'failure', tookMs: number): void {
    record(this.#authentications[result], tookMs);
  }

  /** A request of a user that is known. */
  userSeen(username: string): void {
    if (COUNTED.has(username)) this.#users.labels({ username }).inc();
    else if (username.includes('@')) this.#users.labels({ username: 'email_id' }).inc();
    else this.#others.inc();
  }

  authorized(result: 'allowed' | 'denied', tookMs: number): void {
    record(this.#authorizations[result], tookMs);
  }
}

function attempts<R extends string>(
  metrics: Metrics,
  [counter, histogram, what]: readonly [counter: string, histogram: string, what: string],
  results: readonly R[],
): Attempts<R> {
  const labelNames = ['result'] as const;
  const counts = new TallyCounter(
    { name: counter, help: `Requests by the result of their ${what}.`, labelNames },
    metrics,
  );
  const times = new TallyHistogram(
    { name: histogram, help: `Time of the ${what} of requests.`, labelNames, buckets: BUCKETS },
    metrics,
  );
  return Object.fromEntries(
    results.map((result) => [result, { count: counts.labels({ result }), duration: times.labels({ result }) }]),
  ) as Attempts<R>;
}

function record({ count, duration }: Attempts<string>[string], tookMs: number): void {
  count.inc();
  duration.observe(tookMs / 1000);
}
