import { Counter, Gauge, Histogram, type Metrics } from '../base/metrics.ts';

export interface RequestOutcome {
  /** `namespace/name`; '' when no Ingress was found. */
  readonly ingress: string;
  readonly status: number;
  readonly durationMs: number;
}

export interface IngressMetrics {
  observe(outcome: RequestOutcome): void;
  /** An endpoint could not be reached, and another one was tried. */
  retried(): void;
}

/** Counts requests by Ingress and class of status (`2xx`), and how long they take. */
export function createIngressMetrics(metrics: Metrics | undefined, connections: () => number): IngressMetrics {
  if (metrics === undefined) return { observe: () => {}, retried: () => {} };
  const requests = new Counter({
    name: 'kube_lite_ingress_requests_total',
    help: 'Requests by Ingress and class of status',
    labelNames: ['ingress', 'code'],
    registers: [metrics],
  });
  const duration = new Histogram({
    name: 'kube_lite_ingress_request_duration_seconds',
    help: 'From a request to the end of its answer',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    registers: [metrics],
  });
  const retries = new Counter({
    name: 'kube_lite_ingress_retries_total',
    help: 'Requests that another endpoint was asked for, because the first could not be reached',
    registers: [metrics],
  });
  new Gauge({
    name: 'kube_lite_ingress_connections',
    help: 'Connections of clients',
    registers: [metrics],
    collect() {
      this.set(connections());
    },
  });
  const known = new Map<string, { inc(): void }>();
  return {
    observe({ ingress, status, durationMs }) {
      const code = `${Math.trunc(status / 100)}xx`;
      const key = `${ingress} ${code}`;
      let child = known.get(key);
      if (child === undefined) {
        child = requests.labels({ ingress, code });
        known.set(key, child);
      }
      child.inc();
      duration.observe(durationMs / 1000);
    },
    retried: () => retries.inc(),
  };
}
