/**
 * metrics.k8s.io: what nodes, pods and containers use at the moment, measured by the kubelets. Nothing is stored. Corresponds
 * to metrics-server, which is not needed beside it.
 */
export { ResourceMetrics, type ScrapeKubelet } from './resource-metrics.ts';
export { scrapeOverHTTPS } from './scrape-kubelet.ts';
export { resourceMetricsVerbs } from './verbs.ts';
