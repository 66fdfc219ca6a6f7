import { computedVerb } from '../registry/computed.ts';
import type { Verb } from '../registry/registry.ts';
import type { ResourceMetrics } from './resource-metrics.ts';

/** GET and LIST of metrics.k8s.io; what is not there is called as metrics-server calls it. */
export function resourceMetricsVerbs(metrics: ResourceMetrics): readonly (readonly [string, Verb])[] {
  return [
    ['metrics.k8s.io/nodes', computedVerb(() => metrics.nodes(), 'nodemetrics')],
    ['metrics.k8s.io/pods', computedVerb((namespace) => metrics.pods(namespace), 'podmetrics')],
  ];
}
