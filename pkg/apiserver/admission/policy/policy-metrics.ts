import type { Violation } from '../../../api/admission/index.ts';
import { Counter, Histogram, type Metrics } from '../../../base/metrics.ts';

/** Upstream's metrics of ValidatingAdmissionPolicies. */
export class PolicyMetrics {
  readonly #checks: Counter;
  readonly #duration: Histogram;

  constructor(metrics: Metrics) {
    const options = {
      labelNames: ['policy', 'policy_binding', 'error_type', 'enforcement_action'],
      registers: [metrics],
    };
    this.#checks = new Counter({
      name: 'apiserver_validating_admission_policy_check_total',
      help: 'Evaluations of admission policies by what came of them.',
      ...options,
    });
    this.#duration = new Histogram({
      name: 'apiserver_validating_admission_policy_check_duration_seconds',
      help: 'Time that evaluations of admission policies took.',
      buckets: [0.0000005, 0.001, 0.01, 0.1, 1],
      ...options,
    });
  }

  /** One evaluation of a policy for a binding. */
  observe(policy: string, binding: string, violations: readonly Violation[], seconds: number): void {
    const labels = {
      policy,
      policy_binding: binding,
      error_type: violations.some(({ isError }) => isError) ? 'invalid_error' : 'no_error',
      enforcement_action: violations.length > 0 ? 'deny' : 'allow',
    };
    this.#checks.inc(labels);
    this.#duration.observe(labels, seconds);
  }
}
