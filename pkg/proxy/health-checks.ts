import { createServer, type Server } from 'node:http';
import type { EndpointSlice, Service } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import type { Logger } from '../base/logger.ts';
import { backendsOf, isPort, type NodeView, type TerminatingCheck } from './endpoints.ts';
import { FAMILIES } from './family.ts';

/** What a load balancer may ask this node about a Service. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** How many ready backends of the Service are on this node. */
  readonly localEndpoints: number;
}

/** The health check that a Service wants: only with externalTrafficPolicy Local nodes without a backend are no use. */
export function healthCheckOf(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  node: NodeView & { readonly isTerminating: TerminatingCheck },
): HealthCheck | undefined {
  const { type, externalTrafficPolicy, healthCheckNodePort: port, ports = [] } = service.spec;
  if (type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local' || !isPort(port)) return undefined;
  const addresses = new Set<string>();
  for (const family of FAMILIES) {
    for (const servicePort of ports) {
      for (const { address, local, ready } of backendsOf(slices, servicePort, family, node, node.isTerminating))
        if (local && ready) addresses.add(address);
    }
  }
  const { namespace, name } = service.metadata;
  return { namespace, name, port, localEndpoints: addresses.size };
}

interface Listening {
  readonly server: Server;
  check: HealthCheck;
}

/**
 * One small HTTP server for each Service that wants one, on every address of the node: 200 with a local backend, 503
 * without, and the count in the body and header, as upstream's kube-proxy answers.
 */
export class HealthChecks {
  readonly #logger: Logger;
  readonly #listening = new Map<string, Listening>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  set(key: string, check: HealthCheck | undefined): void {
    const current = this.#listening.get(key);
    if (current !== undefined && current.check.port === check?.port) {
      current.check = check;
      return;
    }
    if (current !== undefined) {
      this.#listening.delete(key);
      close(current.server);
    }
    if (check !== undefined) this.#listening.set(key, this.#listen(check));
  }

  close(): void {
    for (const { server } of this.#listening.values()) close(server);
    this.#listening.clear();
  }

  #listen(check: HealthCheck): Listening {
    const { port } = check;
    const server = createServer((_, response) => {
      const { namespace, name, localEndpoints } = listening.check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }));
    });
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('error', (error) =>
      this.#logger.error({ err: error, port, service: keyOf({ metadata: check }) }, 'no health checks on this port'),
    );
    server.listen(port);
    const listening: Listening = { server, check };
    return listening;
  }
}

const REQUEST_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 100;

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}
