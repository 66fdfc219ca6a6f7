import { Counter, Histogram, type Metrics } from '../../base/metrics.ts';

/** Why a review came to nothing; '' when it did not. */
export type ConversionFailure = '' | 'call' | 'malformed_response' | 'partial_response' | 'invalid_converted_object';

/** Upstream's metrics of conversions by webhooks. */
export class ConversionMetrics {
  readonly #conversions: Histogram;
  readonly #requests: Counter;
  readonly #durations: Histogram;

  constructor(metrics: Metrics) {
    const registers = [metrics];
    this.#conversions = new Histogram({
      name: 'apiserver_crd_conversion_webhook_duration_seconds',
      help: 'Time of conversions of custom resources by webhooks.',
      labelNames: ['crd_name', 'from_version', 'to_version', 'succeeded'],
      buckets: Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power),
      registers,
    });
    const labelNames = ['result', 'failure_type'];
    this.#requests = new Counter({
      name: 'apiserver_conversion_webhook_request_total',
      help: 'Reviews that conversion webhooks were asked for.',
      labelNames,
      registers,
    });
    this.#durations = new Histogram({
      name: 'apiserver_conversion_webhook_duration_seconds',
      help: 'Time of these reviews.',
      labelNames,
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60],
      registers,
    });
  }

  /** Objects of one definition from one version to another. */
  converted(definition: string, from: string, to: string, succeeded: boolean, tookMs: number): void {
    const labels = { crd_name: definition, from_version: from, to_version: to, succeeded: String(succeeded) };
    this.#conversions.observe(labels, tookMs / 1000);
  }

  /** One review. */
  reviewed(failure: ConversionFailure, tookMs: number): void {
    const labels =
      failure === ''
        ? { result: 'success', failure_type: '' }
        : { result: 'failure', failure_type: `conversion_webhook_${failure}_failure` };
    this.#requests.inc(labels);
    this.#durations.observe(labels, tookMs / 1000);
  }
}
