import { createHash } from 'node:crypto';
import type { UserInfo } from '../../api/user.ts';
import { buildInfo, KUBERNETES_VERSION } from '../../api/version.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { type Metrics, metricsText } from '../../base/metrics.ts';
import type { RemoteCalls } from '../aggregation/remote-calls.ts';
import type { RemoteDiscovery } from '../aggregation/remote-discovery.ts';
import type { Definitions } from '../definitions.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes, sendObject } from '../http/response.ts';
import { ACCEPTED, checkRoute, type Negotiated, negotiate } from '../request/negotiate.ts';
import { methodNotAllowed, type Pipeline, unknownResource } from '../request/pipeline.ts';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import { unavailable } from '../services/service-endpoint.ts';
import { describer } from './descriptions.ts';
import {
  aggregatedDiscovery,
  apiGroup,
  apiResourceList,
  type GroupVersions,
  groupsOf,
  remoteResourceList,
} from './documents.ts';
import { type HealthCheck, HealthMetrics, healthHandler, healthPaths } from './health.ts';
import { openAPIHandler } from './openapi.ts';
import { type OpenIDProvider, openIDHandler } from './openid.ts';
import { zPagesHandler } from './zpages.ts';

export interface PathDeps {
  readonly definitions: Definitions;
  /** What other servers serve. */
  readonly remote?: RemoteDiscovery;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly checks: readonly HealthCheck[];
  /** Serve what is below /debug/. */
  readonly debug: readonly PathHandler[];
  /** The settings of the server by name. */
  readonly flags: Readonly<Record<string, string>>;
  readonly openID?: OpenIDProvider;
  readonly descriptions?: () => Uint8Array | undefined;
  /** `host:port` under which clients reach the server. */
  serverAddress(): string;
}

/** Everything that is no resource, in the order in which it is asked. */
export function newPathHandlers(deps: PathDeps): PathHandler[] {
  const groups = new GroupsCache(deps.definitions, deps.remote);
  const startedMs = deps.clock.now() - process.uptime() * 1000;
  const health = new HealthMetrics(startedMs);
  const paths = (): string[] => listedPaths(groups.get(), deps.checks);
  return [
    healthHandler(deps.checks, health),
    versionHandler(),
    discoveryHandler(groups, deps.serverAddress),
    openAPIHandler({ ...deps, describe: describer(deps.descriptions) }),
    ...(deps.openID === undefined ? [] : [openIDHandler(deps.openID)]),
    metricsHandler('/metrics', deps.metrics),
    metricsHandler('/metrics/slis', health.metrics),
    zPagesHandler({ clock: deps.clock, startedMs, flags: deps.flags, paths }),
    ...deps.debug,
    indexHandler(paths),
  ];
}

/** The groups as they are now. */
class GroupsCache {
  readonly #definitions: Definitions;
  readonly #remote: RemoteDiscovery | undefined;
  #generation = -1;
  #groups: readonly GroupVersions[] = [];

  constructor(definitions: Definitions, remote?: RemoteDiscovery) {
    this.#definitions = definitions;
    this.#remote = remote;
  }

  get(): readonly GroupVersions[] {
    const generation = this.#definitions.generation + (this.#remote?.generation ?? 0);
    if (this.#generation !== generation) {
      this.#groups = groupsOf(this.#definitions.all(), this.#remote);
      this.#generation = generation;
    }
    return this.#groups;
  }
}

export function versionInfo(): Record<string, string> {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: KUBERNETES_VERSION,
    gitCommit: buildInfo.commit,
    gitTreeState: buildInfo.treeState,
    buildDate: buildInfo.date,
    goVersion: process.version,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

function versionHandler(): PathHandler {
  return ({ context, request, response, head }) => {
    if (context.info.path !== '/version' && context.info.path !== '/version/') return false;
    requireRead(context.info.verb);
    checkRoute(request.headers.accept, 'application/json');
    sendObject(response, 200, versionInfo(), { encoding: 'json' }, { ...head, pretty: true });
    return true;
  };
}

/** Documents can only be read. `verb` is the method, in lower case. */
function requireRead(verb: string): void {
  if (verb !== 'get') throw methodNotAllowed();
}

function metricsHandler(path: string, metrics: Metrics): PathHandler {
  return async ({ context, response, head }) => {
    if (context.info.path !== path) return false;
    const text = await metricsText(metrics);
    sendBytes(response, 200, headers(head, metrics.contentType), [Buffer.from(text)], head);
    return true;
  };
}

function indexHandler(paths: () => readonly string[]): PathHandler {
  return ({ context, response, head }) => {
    if (!['', '/', '/index.html'].includes(context.info.path)) return false;
    sendObject(response, 200, { paths: paths() }, { encoding: 'json' }, head);
    return true;
  };
}

/** What `/` lists. */
function listedPaths(groups: readonly GroupVersions[], checks: readonly HealthCheck[]): string[] {
  const paths = [
    '/.well-known/openid-configuration',
    '/api',
    '/apis',
    '/apis/',
    '/flagz',
    ...healthPaths(checks),
    '/metrics',
    '/metrics/slis',
    '/openapi/v2',
    '/openapi/v3',
    '/openid/v1/jwks',
    '/statusz',
    '/version',
  ];
  for (const { group, versions } of groups) {
    if (group !== '') paths.push(`/apis/${group}`);
    for (const { version } of versions) paths.push(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
  }
  return paths.sort();
}

function discoveryHandler(groups: GroupsCache, serverAddress: () => string): PathHandler {
  return ({ context, request, response, head }) => {
    const { path } = context.info;
    if (path !== '/api' && path !== '/apis' && !path.startsWith('/api/') && !path.startsWith('/apis/')) return false;
    const segments = path.split('/').filter((segment) => segment !== '');
    const isList = segments.length === 1;
    // Upstream's /apis and /apis/GROUP are no routes of its router: they take every method.
    const isRoute = segments[0] === 'api' || segments.length > 2;
    if (isRoute && hasDocument(groups.get(), segments)) requireRead(context.info.verb);
    const wanted = negotiate(
      request.headers.accept,
      (as, group, version) =>
        isList &&
        as === 'APIGroupDiscoveryList' &&
        group === 'apidiscovery.k8s.io' &&
        (version === 'v2' || version === 'v2beta1'),
      { protobuf: (as) => as === '', ...(isRoute ? { routed: ACCEPTED } : {}) },
    );
    const document = discoveryDocument(groups.get(), segments, wanted, serverAddress);
    if (document === undefined) {
      const [root, group] = segments;
      const isKnown = root === 'api' || (segments.length > 2 && groups.get().some((one) => one.group === group));
      if (isKnown) throw unknownResource();
      return false;
    }
    if (wanted.as === '') {
      sendObject(response, 200, document, wanted, head);
      return true;
    }
    const text = Buffer.from(JSON.stringify(document));
    const etag = `"${createHash('sha256').update(text).digest('hex').toUpperCase()}"`;
    const type = `application/json;g=apidiscovery.k8s.io;v=${wanted.version};as=APIGroupDiscoveryList`;
    const fields = { ...headers(head, type), 'Cache-Control': 'public', ETag: etag, Vary: 'Accept' };
    if (request.headers['if-none-match'] === etag) response.writeHead(304, fields).end();
    else sendBytes(response, 200, fields, [text], head);
    return true;
  };
}

/** Whether there is a document of `/api`, or of a version. */
function hasDocument(groups: readonly GroupVersions[], [root, ...names]: readonly string[]): boolean {
  if (names.length === 0) return true;
  const [group, version] = root === 'api' ? ['', ...names] : names;
  if (names.length > (root === 'api' ? 1 : 2)) return false;
  return groups.some((one) => one.group === group && one.versions.some((served) => served.version === version));
}

function discoveryDocument(
  groups: readonly GroupVersions[],
  segments: readonly string[],
  wanted: Negotiated,
  serverAddress: () => string,
): unknown {
  const [root, first, second, ...rest] = segments;
  if (rest.length > 0) return undefined;
  const named = groups.filter(({ group }) => group !== '');
  const core = groups.find(({ group }) => group === '');
  if (root === 'api') {
    if (first === undefined) {
      if (wanted.as !== '') return aggregatedDiscovery(core === undefined ? [] : [core], wanted.version);
      const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: serverAddress() }];
      return {
        kind: 'APIVersions',
        versions: core?.versions.map(({ version }) => version) ?? [],
        serverAddressByClientCIDRs,
      };
    }
    const version = second === undefined ? core?.versions.find((one) => one.version === first) : undefined;
    return version && apiResourceList(version.version, version.definitions);
  }
  if (first === undefined) {
    if (wanted.as !== '') return aggregatedDiscovery(named, wanted.version);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map((group) => apiGroup(group, false)) };
  }
  const group = named.find((one) => one.group === first);
  if (group === undefined || second === undefined) return group && apiGroup(group, true);
  const version = group.versions.find((one) => one.version === second);
  const groupVersion = `${group.group}/${second}`;
  if (version?.remote === undefined) return version && apiResourceList(groupVersion, version.definitions);
  if (version.remote.isStale) throw unavailable(`stale GroupVersion discovery: ${groupVersion}`);
  return remoteResourceList(groupVersion, version.remote);
}

export interface RawReaderDeps {
  readonly pipeline: Pipeline;
  readonly definitions: Definitions;
  /** What other servers serve; absent: nothing. For their discovery they are not asked: what is known of it is told. */
  readonly remote?: { readonly discovery: RemoteDiscovery; readonly calls: RemoteCalls };
}

/** GETs of discovery paths, /version and what other servers serve, for the in-process door, with authorization. */
export function rawReader({ pipeline, definitions, remote }: RawReaderDeps) {
  const groups = new GroupsCache(definitions, remote?.discovery);
  return async (url: string, user: UserInfo, signal: AbortSignal): Promise<unknown> => {
    const [path = '', search = ''] = url.split('?', 2);
    const query = Query.parse(search);
    const info = parseRequestInfo('GET', path, query);
    const about = { defaultFieldManager: user.username, warnings: [], annotations: new Map(), audit: undefined };
    await pipeline.authorize({ info, user, query, signal, ...about });
    if (path === '/version') return versionInfo();
    const server = info.isResourceRequest ? remote?.calls.serverOf(info) : undefined;
    if (remote !== undefined && server !== undefined) return remote.calls.get(server, url, user, signal);
    const segments = path.split('/').filter((segment) => segment !== '');
    const plain: Negotiated = { encoding: 'json', as: '', group: '', version: '' };
    const document = discoveryDocument(groups.get(), segments, plain, () => '');
    if (document === undefined) throw unknownResource();
    return document;
  };
}
