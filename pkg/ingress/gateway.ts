import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { AccessLog } from './access-log.ts';
import { chooseBackend, cookieOf } from './canary.ts';
import type { Connections } from './connections.ts';
import { answer, type ClientRequest, type ClientResponse, type Exchange, redirect, writeHead } from './exchange.ts';
import { forwardGRPC } from './forward-grpc.ts';
import { type ForwardRequest, forwardHTTP1 } from './forward-http1.ts';
import { forwardUpgrade } from './forward-upgrade.ts';
import { requestHeaders } from './headers.ts';
import type { IngressMetrics } from './ingress-metrics.ts';
import { encodePath, parseTarget, type RequestTarget } from './request-target.ts';
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

const NO_TARGET: RequestTarget = { host: '', authority: '', path: '/', rawPath: '/', query: '' };

/** Decides what becomes of each request, by the routing table. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #deps: GatewayDeps;

  constructor(options: GatewayOptions, deps: GatewayDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  handle(request: ClientRequest, response: ClientResponse, secure: boolean): void {
    const target = targetOf(request);
    const exchange: Exchange = {
      request,
      response,
      target: target ?? NO_TARGET,
      secure,
      clientAddress: clientAddressOf(request),
      extraHeaders: {},
      endpoint: '',
      bytesSent: 0,
    };
    const found = target && findRoute(this.#deps.table(), target.host, target.path);
    this.#watch(exchange, found?.route);
    // An error of the client's connection is its end, which the exchange hears of as well.
    request.on('error', () => {});
    response.on('error', () => {});
    if (found === undefined) answer(exchange, 400, 'The request is ambiguous.');
    else this.#route(exchange, found);
  }

  /** A WebSocket; the connection is ours until it ends. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, secure: boolean): Promise<void> {
    const { clock, metrics, table, upstreams } = this.#deps;
    const startMs = clock.monotonic();
    socket.on('error', () => socket.destroy());
    const target = targetOf(request);
    const route = target && findRoute(table(), target.host, target.path).route;
    const clientAddress = clientAddressOf(request);
    let status = target === undefined ? 400 : route?.backend === undefined ? 404 : 502;
    if (target !== undefined && route?.backend !== undefined) {
      const { settings } = route;
      const backend = chooseBackend(route, canaryView(request), this.#deps.random) ?? route.backend;
      const upstream = upstreams.of(backend);
      const tried = new Set<string>();
      const exchange = { request, target, secure, clientAddress } as Exchange;
      if (settings.refusal !== undefined) status = 503;
      else if (settings.admits?.(clientAddress) === false) status = 403;
      else
        for (let endpoint = upstream.pick(tried); endpoint !== undefined; endpoint = upstream.pick(tried)) {
          tried.add(endpoint.authority);
          const headers = requestHeaders(exchange, settings, requestID(request));
          status = await forwardUpgrade({
            ...{ request, socket, head, endpoint, headers },
            path: pathFor(route, target),
            secureBackend: settings.backendProtocol === 'HTTPS',
            connectTimeoutMs: settings.connectTimeoutMs,
          });
          if (status !== 502 || socket.destroyed) break;
          upstream.failed(endpoint);
        }
      if (tried.size === 0 && status === 502) status = 503;
    }
    if (status >= 400 && socket.writable && !socket.destroyed && [400, 403, 404, 502, 503].includes(status))
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    metrics.observe({ ingress: route?.ingress ?? '', status, durationMs: clock.monotonic() - startMs });
  }

  #route(exchange: Exchange, { route, tls, appRoot }: FoundRoute): void {
    const { target, secure } = exchange;
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
    else if (settings.admits?.(exchange.clientAddress) === false)
      answer(exchange, 403, 'This Ingress does not admit your address.');
    else if (!secure && (settings.forceSSLRedirect || (settings.sslRedirect && tls)))
      redirect(exchange, 308, this.#secureURL(target));
    else if (settings.redirect !== undefined) redirect(exchange, settings.redirect.code, settings.redirect.url);
    else if (settings.cors !== undefined && crossOrigin(exchange, settings.cors)) preflight(exchange);
    else if (settings.bodyLimitBytes > 0 && lengthOf(exchange.request) > settings.bodyLimitBytes)
      answer(exchange, 413, 'The body is larger than this Ingress allows.');
    else this.#forward(exchange, route);
  }

  #forward(exchange: Exchange, route: Route): void {
    const { request, target, secure } = exchange;
    const { settings } = route;
    const { upstreams, connections, metrics, random } = this.#deps;
    const backend = chooseBackend(route, canaryView(request), random);
    if (backend === undefined) {
      answer(exchange, 503, 'The backend of this path is no Service.');
      return;
    }
    const upstream = upstreams.of(backend);
    const { affinity } = settings;
    const preferred = affinity && upstream.byID(cookieOf(request.headers.cookie, affinity.cookie) ?? '');
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
        exchange.extraHeaders['set-cookie'] = [affinityCookie(affinity, endpoint, route, secure)];
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
    const { request, response, target, clientAddress } = exchange;
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : 499;
      const durationMs = clock.monotonic() - startMs;
      const ingress = route?.ingress ?? '';
      metrics.observe({ ingress, status, durationMs });
      accessLog?.write({
        clientAddress,
        timeMs: clock.now(),
        method: request.method ?? '',
        host: target.host,
        rawPath: target.rawPath,
        httpVersion: request.httpVersion,
        status,
        bytesSent: exchange.bytesSent,
        referer: request.headers.referer ?? '',
        userAgent: request.headers['user-agent'] ?? '',
        durationMs: Math.round(durationMs * 10) / 10,
        ingress,
        endpoint: exchange.endpoint,
      });
    });
  }
}

/** undefined: refused, for two readers could understand it in two ways. */
function targetOf(request: ClientRequest): RequestTarget | undefined {
  const { rawHeaders, headers, url = '/' } = request;
  if ('authority' in request) {
    const { host } = headers;
    // RFC 9113, 8.3.1: where both are there they say the same.
    if (request.authority !== '' && host !== undefined && host !== request.authority) return undefined;
    return parseTarget(url, request.authority || host);
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  return hosts > 1 ? undefined : parseTarget(url, headers.host);
}

function clientAddressOf(request: ClientRequest): string {
  const address = request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function lengthOf(request: ClientRequest): number {
  return Number(request.headers['content-length'] ?? 0);
}

function canaryView(request: ClientRequest): Parameters<typeof chooseBackend>[1] {
  return {
    header: (name) => request.headers[name]?.toString(),
    cookie: (name) => cookieOf(request.headers.cookie, name),
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
function requestID(request: ClientRequest): string {
  const given = request.headers['x-request-id'];
  if (typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)) return given;
  return randomUUID();
}

function affinityCookie(affinity: AffinitySettings, endpoint: Endpoint, route: Route, secure: boolean): string {
  const parts = [
    `${affinity.cookie}=${endpoint.id}`,
    `Path=${affinity.path ?? (route.kind === 'Regex' ? '/' : route.path)}`,
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
  const { origin } = request.headers;
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

function preflight({ response, extraHeaders }: Exchange): void {
  writeHead(response, 204, extraHeaders);
  response.end();
}
