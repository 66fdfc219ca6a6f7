import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { ObjectReader } from '../contract.ts';
import { resolveService, type ServiceEndpoint, type ServiceReference } from '../services/service-endpoint.ts';
import { RemoteDiscovery } from './remote-discovery.ts';
import { type FrontProxyTLS, RemoteServices } from './remote-services.ts';

/** What the parts of aggregation share. */
export interface Aggregation {
  readonly services: RemoteServices;
  readonly discovery: RemoteDiscovery;
  /** Throws StatusError. */
  resolve(service: ServiceReference): ServiceEndpoint;
}

export interface AggregationDeps {
  readonly reader: ObjectReader;
  readonly frontProxy: FrontProxyTLS;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows the APIServices from now on. */
export function createAggregation({ reader, frontProxy, clock, logger }: AggregationDeps): Aggregation {
  const services = RemoteServices.watch(reader, frontProxy, clock);
  const resolve = (service: ServiceReference): ServiceEndpoint => resolveService(reader, service);
  return { services, resolve, discovery: new RemoteDiscovery({ services, clock, logger, resolve }) };
}
