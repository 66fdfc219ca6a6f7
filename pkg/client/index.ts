/**
 * The client side of the API: typed client over a transport (in-process or HTTPS), informers with listers, leases, event
 * recorders. Workers reach the API server only through this package. It knows nothing of any controller and of no kind
 * but Lease and Event. Corresponds to upstream's client-go; the fake cluster for unit tests is in testing/.
 */
export { createClient } from './api-client.ts';
export type * from './client.ts';
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderDeps,
  type EventRecorderOptions,
  type EventSubject,
  referenceTo,
} from './event-recorder.ts';
export { createEventSeriesRecorder } from './event-series-recorder.ts';
export { HTTPTransport, type HTTPTransportOptions } from './http-transport.ts';
export { createInformers, type InformersDeps } from './informers.ts';
export { KubeconfigError, loadKubeconfig } from './kubeconfig.ts';
export { LeaseHolder, type LeaseHolderOptions } from './lease-holder.ts';
export { PartitionedInformer } from './partitioned-informer.ts';
export { RestClientMetrics } from './rest-client-metrics.ts';
export { ignoreNotFound, retryOnConflict } from './retry.ts';
