import type { CanarySettings, IngressSettings } from './settings.ts';
import type { UserRegex } from './user-regex.ts';

/** A port of a Service, as Ingresses name it. */
export interface Backend {
  readonly namespace: string;
  readonly service: string;
  /** A number, or a name. */
  readonly port: number | string;
}

export type PathKind = 'Exact' | 'Prefix' | 'Regex';

export interface CanaryRoute {
  readonly canary: CanarySettings;
  readonly headerRegex?: UserRegex;
  readonly backend: Backend;
}

/** One path of one rule. */
export interface Route {
  /** `namespace/name` of the Ingress. */
  readonly ingress: string;
  readonly kind: PathKind;
  /** As in the Ingress. */
  readonly path: string;
  readonly regex?: UserRegex;
  /** undefined: a backend that is no Service. */
  readonly backend: Backend | undefined;
  readonly settings: IngressSettings;
  readonly canaries: readonly CanaryRoute[];
}

export interface HostRoutes {
  readonly exact: ReadonlyMap<string, Route>;
  /** Prefixes and expressions, the one to be tried first at the front. */
  readonly ordered: readonly Route[];
  /** What the defaultBackend of an Ingress of this host says. */
  readonly fallback?: Route;
  /** The host has a certificate, or is to have one. */
  readonly tls: boolean;
  readonly appRoot?: string;
  /** The host that all requests are sent on to. */
  readonly redirectTo?: string;
}

/** Everything that is served; made anew when something changes. */
export interface RoutingTable {
  /** Host names, `*.example.com`, and '' for every host. */
  readonly hosts: ReadonlyMap<string, HostRoutes>;
}

export interface FoundRoute {
  readonly route: Route | undefined;
  readonly tls: boolean;
  readonly appRoot?: string;
  readonly redirectTo?: string;
}

/**
 * The rules of the Ingress documentation: the exact host before the wildcard before every host; an exact path before the
 * longest prefix; then the default backend.
 */
export function findRoute(table: RoutingTable, host: string, path: string): FoundRoute {
  const routes = table.hosts.get(host) ?? table.hosts.get(wildcardOf(host));
  const all = table.hosts.get('');
  const route = (routes && matchPath(routes, path)) ?? (routes === undefined && all ? matchPath(all, path) : undefined);
  const found = routes ?? all;
  return {
    route: route ?? routes?.fallback ?? all?.fallback,
    tls: found?.tls === true,
    ...(found?.appRoot === undefined ? {} : { appRoot: found.appRoot }),
    ...(found?.redirectTo === undefined ? {} : { redirectTo: found.redirectTo }),
  };
}

/** `*.example.com` for `a.example.com`: a wildcard stands for one label. */
export function wildcardOf(host: string): string {
  const dot = host.indexOf('.');
  return dot <= 0 ? '*' : `*${host.slice(dot)}`;
}

function matchPath({ exact, ordered }: HostRoutes, path: string): Route | undefined {
  return exact.get(path) ?? ordered.find((route) => matches(route, path));
}

function matches(route: Route, path: string): boolean {
  if (route.regex !== undefined) return route.regex.matchStart(path) !== undefined;
  const prefix = route.path;
  if (prefix === '/' || path === prefix) return true;
  // By elements: /foo has /foo/bar, but not /foobar; a final slash means nothing.
  if (prefix.endsWith('/')) return path.startsWith(prefix) || path === prefix.slice(0, -1);
  return path.startsWith(prefix) && path[prefix.length] === '/';
}
