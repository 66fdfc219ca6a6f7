import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { AccessLog } from './access-log.ts';
import type { BasicAuth } from './basic-auth.ts';
import { type CanaryRequest, chooseBackend, cookieOf } from './canary.ts';
import type { Connections } from './connections.ts';
import { answer, answerWith, type Exchange, type RequestFacts, redirect } from './exchange.ts';
import { askExternalAuth, signinURL } from './external-auth.ts';
import { forwardGRPC } from './forward-grpc.ts';
import { type ForwardRequest, forwardHTTP1 } from './forward-http1.ts';
import { requestHeaders } from './headers.ts';
import type { IngressMetrics } from './ingress-metrics.ts';
import { RequestLimits } from './request-limits.ts';
import { encodePath, type RequestTarget } from './request-target.ts';
import { type Backend, type FoundRoute, findRoute, type Route, type RoutingTable } from './routing-table.ts';
import type { AffinitySettings, CORSSettings, ExternalAuthSettings } from './settings.ts';
import type { Endpoint, Upstream, Upstreams } from './upstreams.ts';

export interface GatewayOptions {
  /** Where redirects to HTTPS lead. */
  readonly httpsPort: number;
}

export interface GatewayDeps {
  readonly table: () => RoutingTable;
  readonly upstreams: Upstreams;
  readonly connections: Connections;
  readonly basicAuth: BasicAuth;
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
  readonly #limits: RequestLimits;

  constructor(options: GatewayOptions, deps: GatewayDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#limits = new RequestLimits(deps.clock);
  }

  handle(exchange: Exchange): void {
    const { target } = exchange.request;
    const found = target && findRoute(this.#deps.table(), target.host, target.path);
    this.#watch(exchange, found?.route);
    if (found === undefined) answer(exchange, 400, 'The request is ambiguous.');
    else this.#route(exchange, found);
  }

  #route(exchange: Exchange, { route, tls, appRoot, redirectTo }: FoundRoute): void {
    const { target, request } = exchange;
    if (redirectTo !== undefined) {
      const port = /:\d+$/.exec(target.authority)?.[0] ?? '';
      redirect(exchange, 308, `${request.secure ? 'https' : 'http'}://${redirectTo}${port}${target.rawPath}`);
      return;
    }
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
    else if (!settings.satisfyAny && settings.admits?.(request.clientAddress) === false)
      answer(exchange, 403, 'This Ingress does not admit your address.');
    else if (!request.secure && (settings.forceSSLRedirect || (settings.sslRedirect && tls)))
      redirect(exchange, 308, this.#secureURL(target));
    else if (settings.redirect !== undefined) redirect(exchange, settings.redirect.code, settings.redirect.url);
    else if (settings.cors !== undefined && crossOrigin(exchange, settings.cors)) preflight(exchange);
    else if (settings.bodyLimitBytes > 0 && (request.contentLength ?? 0) > settings.bodyLimitBytes)
      answer(exchange, 413, 'The body is larger than this Ingress allows.');
    else if (!this.#isWithinLimits(exchange, route)) answer(exchange, 503, 'Too many requests from your address.');
    else this.#authenticate(exchange, route);
  }

  #isWithinLimits(exchange: Exchange, { ingress, settings }: Route): boolean {
    if (settings.limits === undefined) return true;
    const release = this.#limits.admit(ingress, settings.limits, exchange.request.clientAddress);
    if (release === undefined) return false;
    const { done } = exchange;
    exchange.done = () => {
      release();
      done();
    };
    return true;
  }

  /** By what the Ingress asks for: name and password, another server, or both. */
  #authenticate(exchange: Exchange, route: Route): void {
    const { request } = exchange;
    const { settings, ingress } = route;
    const { basicAuth, externalAuth, satisfyAny } = settings;
    const headers = requestHeaders(exchange, settings, requestID(request));
    if (satisfyAny && settings.admits?.(request.clientAddress) === true) {
      this.#forward(exchange, route, headers);
      return;
    }
    if (basicAuth !== undefined) {
      const namespace = ingress.slice(0, ingress.indexOf('/'));
      const result = this.#deps.basicAuth.check(namespace, basicAuth, request.fields.get('authorization'));
      if (result === 'unavailable') answer(exchange, 503, `${ingress}: nobody can be authenticated.`);
      else if (result === 'denied') {
        const challenge = `Basic realm="${basicAuth.realm}"`;
        answer(exchange, 401, 'Name and password are needed.', ['WWW-Authenticate', challenge]);
      }
      if (result !== 'ok') return;
    }
    if (externalAuth !== undefined) this.#askOutside(exchange, route, externalAuth, headers);
    else if (satisfyAny && basicAuth === undefined && settings.admits !== undefined)
      answer(exchange, 403, 'This Ingress does not admit your address.');
    else this.#forward(exchange, route, headers);
  }

  #askOutside(exchange: Exchange, route: Route, external: ExternalAuthSettings, headers: readonly string[]): void {
    askExternalAuth(exchange, external, headers, this.#deps, (verdict) => {
      if (verdict.allowed) {
        const taken = new Set(external.responseHeaders);
        const own = headers.filter((_, at) => !taken.has((headers[at - (at % 2)] ?? '').toLowerCase()));
        exchange.cookies.push(...verdict.cookies);
        this.#forward(exchange, route, [...own, ...verdict.headers]);
        return;
      }
      const signin = verdict.status === 401 ? signinURL(exchange, external) : undefined;
      if (signin !== undefined) redirect(exchange, 302, signin);
      else if (verdict.status === 500) answer(exchange, 500, 'Whether you may come in could not be found out.');
      else answer(exchange, verdict.status, 'You may not come in.', verdict.headers);
    });
  }

  #forward(exchange: Exchange, route: Route, headers: readonly string[]): void {
    const { request, target } = exchange;
    const { settings } = route;
    const { upstreams, connections, metrics, random, clock } = this.#deps;
    const { affinity, hashBy } = settings;
    const cookie = affinity && cookieOf(request.fields.get('cookie'), affinity.cookie);
    const staysWith = (one: Backend): boolean => cookie !== undefined && upstreams.of(one).byID(cookie) !== undefined;
    const backend = chooseBackend(route, { ...canaryView(request), staysWith }, random);
    if (backend === undefined) {
      answer(exchange, 503, 'The backend of this path is no Service.');
      return;
    }
    const upstream = this.#withEndpoints(upstreams.of(backend), settings.defaultBackend, backend.namespace);
    const preferred = affinity ? upstream.byID(cookie ?? '') : hashBy && upstream.byHash(hashBy(exchange));
    let known: Endpoint | undefined = preferred;
    const forward: ForwardRequest = {
      exchange,
      upstream,
      preferred,
      path: pathFor(route, target),
      ...{ headers, settings, connections, clock },
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

  /** What answers: the Service itself, or while it has no endpoint the one that the Ingress names for this. */
  #withEndpoints(upstream: Upstream, instead: string | undefined, namespace: string): Upstream {
    if (instead === undefined || upstream.endpoints.length > 0) return upstream;
    return this.#deps.upstreams.ofFirstPort(namespace, instead) ?? upstream;
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
      if (route?.settings.accessLog !== false)
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

function canaryView({ fields }: RequestFacts): Pick<CanaryRequest, 'header' | 'cookie'> {
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
  const allowed = any ? '*' : cors.origins.some((entry) => isOrigin(entry, origin)) ? origin : undefined;
  if (allowed !== undefined) {
    extraHeaders['access-control-allow-origin'] = allowed;
    if (!any) extraHeaders['vary'] = 'Origin';
    if (cors.credentials) extraHeaders['access-control-allow-credentials'] = 'true';
    if (cors.exposedHeaders !== undefined) extraHeaders['access-control-expose-headers'] = cors.exposedHeaders;
  }
  // The backend answers for origins that nothing is said of.
  if (request.method !== 'OPTIONS' || allowed === undefined) return false;
  extraHeaders['access-control-allow-methods'] = cors.methods;
  extraHeaders['access-control-allow-headers'] = cors.headers;
  extraHeaders['access-control-max-age'] = String(cors.maxAgeSeconds);
  return true;
}

/** `https://*.example.com`: the star stands for one label. */
function isOrigin(entry: string, origin: string | undefined): boolean {
  if (entry === origin) return true;
  const star = entry.indexOf('://*.');
  if (star < 0 || origin === undefined) return false;
  const before = entry.slice(0, star + 3);
  const after = entry.slice(star + 4);
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false;
  return /^[\w-]+$/.test(origin.slice(before.length, origin.length - after.length));
}

function preflight(exchange: Exchange): void {
  answerWith(exchange, 204, Object.entries(exchange.extraHeaders).flat(), Buffer.alloc(0));
}
