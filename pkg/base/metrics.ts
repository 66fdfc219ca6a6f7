import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

/** The metrics of one process; passed to components, never global. */
export type Metrics = Registry;

export function createMetrics(): Metrics {
  return new Registry();
}

/** How long text is made before others get their turn. */
const SLICE_MS = 5;

/** The text of all metrics, which may be megabytes, made in the course of several turns. */
export async function metricsText(metrics: Metrics): Promise<string> {
  const texts: string[] = [];
  let started = performance.now();
  for (const { name } of metrics.getMetricsAsArray()) {
    texts.push(await metrics.getSingleMetricAsString(name));
    if (performance.now() - started < SLICE_MS) continue;
    await nextTurn();
    started = performance.now();
  }
  return `${texts.join('\n\n')}\n`;
}
