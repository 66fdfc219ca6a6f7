import { Counter, Histogram, type Metrics } from '../base/metrics.ts';

/** Counts answers by result and by where they came from. */
export function answerCounter(metrics: Metrics | undefined): (rcode: number, source: string) => void {
  if (metrics === undefined) return () => {};
  const counter = new Counter({
    name: 'kube_lite_dns_responses_total',
    help: 'DNS answers by code and source (cluster, cache, forward)',
    labelNames: ['rcode', 'source'],
    registers: [metrics],
  });
  const known = new Map<string, { inc(): void }>();
  return (rcode, source) => {
    const key = `${rcode} ${source}`;
    let child = known.get(key);
    if (child === undefined) {
      child = counter.labels({ rcode: String(rcode), source });
      known.set(key, child);
    }
    child.inc();
  };
}

/** Observes how long resolvers take, in milliseconds. */
export function exchangeTimer(metrics: Metrics | undefined): (tookMs: number) => void {
  if (metrics === undefined) return () => {};
  const histogram = new Histogram({
    name: 'kube_lite_dns_forward_duration_seconds',
    help: 'How long exchanges with resolvers outside the cluster took',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [metrics],
  });
  return (tookMs) => histogram.observe(tookMs / 1000);
}
