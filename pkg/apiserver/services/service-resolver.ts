import { newStatus, notFound, StatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Service } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';

export interface ServiceResolverOptions {
  /**
   * `clusterIP`: this machine's service proxy makes cluster IPs reachable. `endpoint`: nothing does, so that a ready endpoint is
   * called directly.
   */
  readonly route: 'clusterIP' | 'endpoint';
}

export interface ServiceResolverDeps {
  readonly reader: ObjectReader;
  /** Where this API server listens: the Service `default/kubernetes`. */
  ownAddress(): SocketAddress;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** A Service's port as webhooks and APIServices name it. */
export interface ServicePortReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Finds where the API server has to connect to for a Service: for webhooks and aggregated API servers. */
export class ServiceResolver {
  readonly #route: ServiceResolverOptions['route'];
  readonly #deps: ServiceResolverDeps;

  constructor(options: ServiceResolverOptions, deps: ServiceResolverDeps) {
    this.#route = options.route;
    this.#deps = deps;
  }

  /** Throws StatusError NotFound without such a Service, else ServiceUnavailable when it cannot be reached, with the reason. */
  resolve(reference: ServicePortReference): SocketAddress {
    const { namespace, name, port } = reference;
    if (namespace === 'default' && name === 'kubernetes') return this.#deps.ownAddress();
    const service = this.#deps.reader.get(resources.services, { namespace, name });
    if (service === undefined) throw notFound(resources.services, name);
    const { type = 'ClusterIP', clusterIP = '', externalName = '' } = service.spec ?? {};
    if (type === 'ExternalName') return { host: externalName, port };
    const servicePort = service.spec?.ports?.find((one) => one.port === port);
    if (servicePort === undefined) throw unavailable(`no service port ${port} found for service "${name}"`);
    if (this.#route === 'endpoint') return this.#endpoint(service, servicePort.name ?? '');
    if (clusterIP === '' || clusterIP === 'None')
      throw unavailable(`cannot route to service with ClusterIP "${clusterIP}"`);
    return { host: clusterIP, port };
  }

  #endpoint(service: DeepReadonly<Service>, portName: string): SocketAddress {
    const { namespace = '', name = '' } = service.metadata;
    const candidates: SocketAddress[] = [];
    for (const slice of this.#deps.reader.list(resources.endpointslices, namespace)) {
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
      const port = slice.ports?.find((one) => (one.name ?? '') === portName)?.port;
      if (port === undefined) continue;
      for (const { addresses, conditions } of slice.endpoints ?? []) {
        const [host] = addresses ?? [];
        if (host !== undefined && conditions?.ready !== false) candidates.push({ host, port });
      }
    }
    const chosen = candidates[Math.floor(this.#deps.random() * candidates.length)];
    if (chosen === undefined) throw unavailable(`no endpoints available for service "${name}"`);
    return chosen;
  }
}

function unavailable(message: string): StatusError {
  return new StatusError(newStatus(503, 'ServiceUnavailable', message));
}
