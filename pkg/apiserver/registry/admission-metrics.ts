import { Histogram, type Metrics } from '../../base/metrics.ts';
import type { Operation } from '../contract.ts';

/** How long the two halves of admission take, by upstream's name. */
export class AdmissionMetrics {
  readonly #duration: Histogram;
  readonly #series = new Map<string, Histogram.Internal<string>>();

  constructor(metrics: Metrics) {
    this.#duration = new Histogram({
      name: 'apiserver_admission_step_admission_duration_seconds',
      help: 'Time of one half of admission for one request.',
      labelNames: ['type', 'operation', 'rejected'],
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5],
      registers: [metrics],
    });
  }

  observe(phase: 'admit' | 'validate', operation: Operation, rejected: boolean, tookMs: number): void {
    const key = `${phase}/${operation}/${rejected}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = this.#duration.labels({ type: phase, operation, rejected: String(rejected) });
      this.#series.set(key, series);
    }
    series.observe(tookMs / 1000);
  }
}
