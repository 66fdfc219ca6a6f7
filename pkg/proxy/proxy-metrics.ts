import { Counter, Histogram, type Metrics } from '../base/metrics.ts';

export interface ProxyMetricsDeps {
  readonly metrics?: Metrics;
}

export interface ProxyMetrics {
  readonly duration: Histogram;
  readonly failures: Counter;
}

/** Named as upstream's. */
export function createProxyMetrics({ metrics }: ProxyMetricsDeps): ProxyMetrics {
  const registers = metrics === undefined ? [] : [metrics];
  return {
    duration: new Histogram({
      name: 'kubeproxy_sync_proxy_rules_duration_seconds',
      help: 'How long a change of the nftables table took',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    failures: new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
      help: 'How many changes of the nftables table failed',
      registers,
    }),
  };
}
