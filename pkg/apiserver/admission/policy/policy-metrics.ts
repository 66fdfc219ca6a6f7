import { Counter, Histogram, type Metrics } from '../../../base/metrics.ts';

export type PolicyErrorType = 'compile_error' | 'invalid_error' | 'out_of_budget' | 'no_error';

const BUCKETS = [0.0000005, 0.001, 0.01, 0.1, 1];

/** Upstream's metrics of ValidatingAdmissionPolicies: what was done about violations, and errors that were ignored. */
export class ValidatingPolicyMetrics {
  readonly #checks: Counter;
  readonly #duration: Histogram;

  constructor(metrics: Metrics) {
    const options = {
      labelNames: ['policy', 'policy_binding', 'error_type', 'enforcement_action'],
      registers: [metrics],
    };
    this.#checks = new Counter({
      name: 'apiserver_validating_admission_policy_check_total',
      help: 'Violations of admission policies by what was done about them.',
      ...options,
    });
    this.#duration = new Histogram({
      name: 'apiserver_validating_admission_policy_check_duration_seconds',
      help: 'Time that these evaluations of admission policies took.',
      buckets: BUCKETS,
      ...options,
    });
  }

  observe(
    policy: string,
    policy_binding: string,
    enforcement_action: 'allow' | 'audit' | 'deny' | 'warn',
    error_type: PolicyErrorType,
    seconds: number,
  ): void {
    const labels = { policy, policy_binding, error_type, enforcement_action };
    this.#checks.inc(labels);
    this.#duration.observe(labels, seconds);
  }
}

/** Upstream's metrics of MutatingAdmissionPolicies: every mutation. */
export class MutatingPolicyMetrics {
  readonly #checks: Counter;
  readonly #duration: Histogram;

  constructor(metrics: Metrics) {
    const options = { labelNames: ['policy', 'policy_binding', 'error_type'], registers: [metrics] };
    this.#checks = new Counter({
      name: 'apiserver_mutating_admission_policy_check_total',
      help: 'Mutations by admission policies.',
      ...options,
    });
    this.#duration = new Histogram({
      name: 'apiserver_mutating_admission_policy_check_duration_seconds',
      help: 'Time that mutations by admission policies took.',
      buckets: BUCKETS,
      ...options,
    });
  }

  observe(policy: string, policy_binding: string, error_type: PolicyErrorType, seconds: number): void {
    const labels = { policy, policy_binding, error_type };
    this.#checks.inc(labels);
    this.#duration.observe(labels, seconds);
  }
}

/** The kind of an error by its text, as upstream tells it. What a violation says counts as an error there too. */
export function policyErrorType(message: string): PolicyErrorType {
  if (message.startsWith('compilation')) return 'compile_error';
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error';
}
