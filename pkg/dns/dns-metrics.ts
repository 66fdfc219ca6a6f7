import { Counter, type Metrics } from '../base/metrics.ts';

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
