import { Registry } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

/** The metrics of one process; passed to components, never global. */
export type Metrics = Registry;

export function createMetrics(): Metrics {
  return new Registry();
}
