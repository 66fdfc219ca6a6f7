import type { ConditionsResult } from '../../../api/admission/index.ts';
import { Counter, Histogram, type Metrics } from '../../../base/metrics.ts';

/** Whose conditions: a webhook's or a policy's, in the half of admission that it belongs to. */
export interface ConditionsOwner {
  readonly name: string;
  readonly kind: 'webhook' | 'policy';
  readonly type: 'admit' | 'validating' | 'validate';
}

/** Upstream's metrics of match conditions. */
export class MatchConditionMetrics {
  readonly #errors: Counter;
  readonly #exclusions: Counter;
  readonly #seconds: Histogram;

  constructor(metrics: Metrics) {
    const options = { labelNames: ['name', 'kind', 'type', 'operation'], registers: [metrics] };
    this.#errors = new Counter({
      name: 'apiserver_admission_match_condition_evaluation_errors_total',
      help: 'Match conditions that could not be evaluated.',
      ...options,
    });
    this.#exclusions = new Counter({
      name: 'apiserver_admission_match_condition_exclusions_total',
      help: 'Requests that webhooks and policies had no say about because of their match conditions.',
      ...options,
    });
    this.#seconds = new Histogram({
      name: 'apiserver_admission_match_condition_evaluation_seconds',
      help: 'Time that match conditions took.',
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5],
      ...options,
    });
  }

  observe({ name, kind, type }: ConditionsOwner, operation: string, result: ConditionsResult, seconds: number): void {
    const labels = { name, kind, type, operation };
    if ('error' in result || result.failed === true) this.#errors.inc(labels);
    else if (!result.matches) this.#exclusions.inc(labels);
    this.#seconds.observe(labels, seconds);
  }
}
