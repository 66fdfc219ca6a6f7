import { newStatus, notFound, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Service, ServicePort } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';

export interface ServiceEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  /** The Service's port, by number. */
  readonly port: number;
}

/**
 * Where the server itself reaches a Service: one of its ready endpoints, chosen at random, so that no proxy is needed on this
 * machine (upstream's endpoint routing). Throws NotFound without the Service, ServiceUnavailable without port or endpoint.
 */
export function resolveService(reader: ObjectReader, { namespace, name, port }: ServiceReference): ServiceEndpoint {
  const service = reader.get(resources.services, { namespace, name });
  if (service === undefined) throw notFound({ group: '', resource: 'service' }, name);
  const { type, externalName, ports = [] } = service.spec ?? {};
  if (type === 'ExternalName' && externalName) return { host: externalName, port };
  const wanted = ports.find((one) => one.port === port);
  if (wanted === undefined) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  return readyEndpoint(reader, service, wanted);
}

/** One ready endpoint behind a port of a Service, chosen at random. Throws ServiceUnavailable. */
export function readyEndpoint(
  reader: ObjectReader,
  service: DeepReadonly<Service>,
  port: DeepReadonly<ServicePort>,
): ServiceEndpoint {
  const { namespace = '', name = '' } = service.metadata as { namespace?: string; name?: string };
  const candidates: ServiceEndpoint[] = [];
  for (const slice of reader.list(resources.endpointslices, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const target = slice.ports?.find((one) => (one.name ?? '') === (port.name ?? ''))?.port;
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const host = endpoint.addresses?.[0];
      if (host !== undefined && endpoint.conditions?.ready !== false) candidates.push({ host, port: target });
    }
  }
  const chosen = candidates[Math.floor(Math.random() * candidates.length)];
  if (chosen === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return chosen;
}

export function unavailable(message: string): StatusError {
  return new StatusError(newStatus(503, 'ServiceUnavailable', message));
}
