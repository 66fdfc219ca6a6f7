import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { AccessLog } from './access-log.ts';
import { chooseBackend, cookieOf } from './canary.ts';
import type { Connections } from './connections.ts';
import { answer, answerWith, type Exchange, type RequestFacts, redirect } from './exchange.ts';
import { forwardGRPC } from './forward-grpc.ts';
import { type ForwardRequest, forwardHTTP1 } from './forward-http1.ts';
import { requestHeaders } from './headers.ts';
import type { IngressMetrics } from './ingress-metrics.ts';
import { encodePath, type RequestTarget } from './request-target.ts';
import { type FoundRoute, findRoute, type Route, type RoutingTable } from './routing-table.ts';
import type { AffinitySettings, CORSSettings } from './settings.ts';
import type { Endpoint, Upstreams } from './upstreams.ts';

export interface GatewayOptions {
  /** Where redirects to HTTPS lead. */
  readonly httpsPort: number;
}

export interface GatewayDeps {
  readonly table: () => RoutingTable;
  readonly upstreams: Upstreams;
  readonly connections: Connections;
  readonly metrics: IngressMetrics;
  readonly accessLog: AccessLog | undefined;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Decides what becomes of each request, by the routing table. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #deps: GatewayDeps;

  constructor(options: GatewayOptions, deps: GatewayDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  handle(exchange: Exchange): void {
    const { target } = exchange.request;
    const found = target && findRoute(this.#deps.table(), target.host, target.path);
    this.#watch(exchange, found?.route);
    if (found === undefined) answer(exchange, 400, 'The request is ambiguous.');
    else this.#route(exchange, found);
  }

  #route(exchange: Exchange, { route, tls, appRoot }: FoundRoute): void {
    const { target, request } = exchange;
    if (appRoot !== undefined && target.path === '/') {
      redirect(exchange, 302, appRoot);
      return;
    }
    if (route === undefined) {
      answer(exchange, 404, 'No Ingress has this host and path.');
      return;
    }
    const { settings } = route;
    if (settings.refusal !== undefined) answer(exchange, 503, `${route.ingress}: ${settings.refusal}.`);
    else if (settings.admits?.(request.clientAddress) === false)
      answer(exchange, 403, 'This Ingress does not admit your address.');
    else if (!request.secure && (settings.forceSSLRedirect || (settings.sslRedirect && tls)))
      redirect(exchange, 308, this.#secureURL(target));
    else if (settings.redirect !== undefined) redirect(exchange, settings.redirect.code, settings.redirect.url);
    else if (settings.cors !== undefined && crossOrigin(exchange, settings.cors)) preflight(exchange);
    else if (settings.bodyLimitBytes > 0 && (request.contentLength ?? 0) > settings.bodyLimitBytes)
      answer(exchange, 413, 'The body is larger than this Ingress allows.');
    else this.#forward(exchange, route);
  }

  #forward(exchange: Exchange, route: Route): void {
    const { request, target } = exchange;
    const { settings } = route;
    const { upstreams, connections, metrics, random } = this.#deps;
    const backend = chooseBackend(route, canaryView(request), random);
    if (backend === undefined) {
      answer(exchange, 503, 'The backend of this path is no Service.');
      return;
    }
    const upstream = upstreams.of(backend);
    const { affinity } = settings;
    const preferred = affinity && upstream.byID(cookieOf(request.fields.get('cookie'), affinity.cookie) ?? '');
    let known: Endpoint | undefined = preferred;
    const forward: ForwardRequest = {
      exchange,
      upstream,
      preferred,
      path: pathFor(route, target),
      headers: requestHeaders(exchange, settings, requestID(request)),
      settings,
      connections,
      onEndpoint: (endpoint) => {
        if (exchange.endpoint !== '') metrics.retried();
        exchange.endpoint = endpoint.authority;
        if (affinity === undefined || endpoint === known) return;
        known = endpoint;
        exchange.extraHeaders['set-cookie'] = affinityCookie(affinity, endpoint, route, request.secure);
      },
    };
    if (settings.backendProtocol.startsWith('GRPC')) forwardGRPC(forward);
    else forwardHTTP1(forward);
  }

  #secureURL({ authority, rawPath }: RequestTarget): string {
    const { httpsPort } = this.#options;
    return `https://${authority.replace(/:\d+$/, '')}${httpsPort === 443 ? '' : `:${httpsPort}`}${rawPath}`;
  }

  #watch(exchange: Exchange, route: Route | undefined): void {
    const { clock, metrics, accessLog } = this.#deps;
    const startMs = clock.monotonic();
    const { request, target } = exchange;
    exchange.done = () => {
      const status = exchange.status === 0 ? 499 : exchange.status;
      const durationMs = clock.monotonic() - startMs;
      const ingress = route?.ingress ?? '';
      metrics.observe({ ingress, status, durationMs });
      accessLog?.write({
        clientAddress: request.clientAddress,
        timeMs: clock.now(),
        method: request.method,
        host: target.host,
        rawPath: target.rawPath,
        httpVersion: request.httpVersion,
        status,
        bytesSent: exchange.bytesSent,
        referer: request.fields.get('referer') ?? '',
        userAgent: request.fields.get('user-agent') ?? '',
        durationMs: Math.round(durationMs * 10) / 10,
        ingress,
        endpoint: exchange.endpoint,
      });
    };
  }
}

function canaryView({ fields }: RequestFacts): Parameters<typeof chooseBackend>[1] {
  return {
    header: (name) => fields.get(name),
    cookie: (name) => cookieOf(fields.get('cookie'), name),
  };
}

/** Path and query for the backend: as they came, or what `rewrite-target` makes of them. */
function pathFor({ regex, settings }: Route, target: RequestTarget): string {
  const { rewriteTarget } = settings;
  if (rewriteTarget === undefined) return target.rawPath;
  const groups = regex?.matchStart(target.path) ?? [];
  const path = rewriteTarget.replace(/\$(\d)/g, (_, group: string) => groups[Number(group)] ?? '');
  return `${encodePath(path.startsWith('/') ? path : `/${path}`)}${target.query}`;
}

/** The client's, so that one request has one name on its whole way, when it is a sane one. */
function requestID({ fields }: RequestFacts): string {
  const given = fields.get('x-request-id');
  if (given !== undefined && /^[\w.:-]{1,128}$/.test(given)) return given;
  return randomUUID();
}

function affinityCookie(affinity: AffinitySettings, endpoint: Endpoint, route: Route, secure: boolean): string {
  const parts = [
    `${affinity.cookie}=${endpoint.id}`,
    `Path=${affinity.path ?? (route.kind === 'Regex' ? '/' : encodePath(route.path).replaceAll(';', '%3B'))}`,
    'HttpOnly',
  ];
  if (affinity.maxAgeSeconds !== undefined) parts.push(`Max-Age=${affinity.maxAgeSeconds}`);
  if (affinity.domain !== undefined) parts.push(`Domain=${affinity.domain}`);
  if (affinity.sameSite !== undefined) parts.push(`SameSite=${affinity.sameSite}`);
  if (affinity.secure || secure) parts.push('Secure');
  return parts.join('; ');
}

/** Adds the headers of CORS; true: the request only asks for them. */
function crossOrigin(exchange: Exchange, cors: CORSSettings): boolean {
  const { request, extraHeaders } = exchange;
  const origin = request.fields.get('origin');
  const any = cors.origins.includes('*');
  const allowed = any ? '*' : cors.origins.find((entry) => entry === origin);
  if (allowed !== undefined) {
    extraHeaders['access-control-allow-origin'] = allowed;
    if (!any) extraHeaders['vary'] = 'Origin';
    if (cors.credentials) extraHeaders['access-control-allow-credentials'] = 'true';
    if (cors.exposedHeaders !== undefined) extraHeaders['access-control-expose-headers'] = cors.exposedHeaders;
  }
  if (request.method !== 'OPTIONS') return false;
  if (allowed !== undefined) {
    extraHeaders['access-control-allow-methods'] = cors.methods;
    extraHeaders['access-control-allow-headers'] = cors.headers;
    extraHeaders['access-control-max-age'] = String(cors.maxAgeSeconds);
  }
  return true;
}

function preflight(exchange: Exchange): void {
  answerWith(exchange, 204, Object.entries(exchange.extraHeaders).flat(), Buffer.alloc(0));
}
