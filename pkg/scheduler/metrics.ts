import { Counter, Histogram, type Metrics } from '../base/metrics.ts';

/** Upstream's metric names. */
export interface SchedulerMetrics {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', seconds: number): void;
}

export function createSchedulerMetrics(registry: Metrics): SchedulerMetrics {
  const attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Attempts to schedule pods, by result.',
    labelNames: ['result', 'profile'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Time of one scheduling attempt without the binding.',
    labelNames: ['result', 'profile'],
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    registers: [registry],
  });
  return {
    attempt(result, seconds) {
      const labels = { result, profile: 'default-scheduler' };
      attempts.inc(labels);
      duration.observe(labels, seconds);
    },
  };
}
