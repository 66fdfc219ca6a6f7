import { newStatus, StatusError } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Exchange } from '../http/request-handler.ts';
import { sendText } from '../http/response.ts';
import { dialText, passRequest } from '../proxy/pass-request.ts';
import type { Upgrades } from '../proxy/upgrades.ts';
import type { ServiceEndpoint, ServiceReference } from '../services/service-endpoint.ts';
import { frontProxyHeaders } from './front-proxy-headers.ts';
import type { RemoteService, RemoteServices } from './remote-services.ts';

export interface AggregatorDeps {
  readonly services: RemoteServices;
  readonly upgrades: Upgrades;
  readonly clock: Clock;
  /** Throws StatusError. */
  resolve(service: ServiceReference): ServiceEndpoint;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** Subresources whose answer may take any time. */
const LONG_RUNNING: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Hands requests for the groups and versions of other servers on to them, and says who makes the request. */
export class Aggregator {
  readonly #deps: AggregatorDeps;

  constructor(deps: AggregatorDeps) {
    this.#deps = deps;
  }

  /** undefined: the request is for this server itself. The request is authenticated and authorized. */
  serve(exchange: Exchange): Promise<void> | undefined {
    if (this.#deps.services.size === 0) return undefined;
    const { path } = exchange.context.info;
    const [, root, group = '', version = ''] = path.split('/', 4);
    const remote =
      root === 'apis'
        ? this.#deps.services.find(group, version)
        : root === 'api'
          ? this.#deps.services.find('', group)
          : undefined;
    return remote && this.#pass(exchange, remote);
  }

  async #pass(exchange: Exchange, remote: RemoteService): Promise<void> {
    const { context, request, response, head } = exchange;
    let endpoint: ServiceEndpoint;
    try {
      if (!remote.isAvailable) throw unavailable();
      endpoint = this.#deps.resolve(remote.service);
    } catch {
      sendText(response, 503, 'service unavailable\n', head);
      return;
    }
    const limit = new AbortController();
    const cancel = this.#isLongRunning(exchange)
      ? undefined
      : this.#deps.clock.after(REQUEST_TIMEOUT_MS, () => limit.abort(timedOut()));
    try {
      await passRequest(
        exchange,
        this.#deps.upgrades,
        { scheme: 'https', ...endpoint, path: request.url ?? '/' },
        {
          agent: remote.agent,
          serverName: remote.serverName,
          pagePrefix: '',
          headers: { ...frontProxyHeaders(context.user), 'audit-id': head.auditID },
          signal: limit.signal,
          unreachable: (error, target) => new ServerUnreachable(dialText(error, target), { cause: error }),
        },
      );
    } catch (error) {
      if (!(error instanceof ServerUnreachable)) throw error;
      sendText(response, 503, `error trying to reach service: ${error.message}\n`, head);
    } finally {
      cancel?.();
    }
  }

  #isLongRunning({ request, context }: Exchange): boolean {
    const { info } = context;
    return info.verb === 'watch' || LONG_RUNNING.has(info.subresource) || this.#deps.upgrades.of(request) !== undefined;
  }
}

class ServerUnreachable extends Error {}

function unavailable(): StatusError {
  return new StatusError(newStatus(503, 'ServiceUnavailable', 'service unavailable'));
}

function timedOut(): StatusError {
  const message = 'Timeout: request did not complete within the allotted timeout';
  return new StatusError(newStatus(504, 'Timeout', message, {}));
}
