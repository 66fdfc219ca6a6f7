/**
 * API aggregation: APIServices of what is served here, the availability of those served elsewhere, requests handed on to
 * aggregated servers with the front proxy's identity, and what discovery and OpenAPI documents tell of them. How a request is
 * proxied belongs to ../proxy, what discovery looks like to ../discovery. Corresponds to upstream's kube-aggregator.
 */
export { type Aggregation, type AggregationDeps, createAggregation } from './aggregation.ts';
export { Aggregator } from './aggregator.ts';
export { AvailabilityController } from './availability-controller.ts';
export { Registration } from './registration.ts';
export { RemoteCalls } from './remote-calls.ts';
export type { FrontProxyTLS } from './remote-services.ts';
