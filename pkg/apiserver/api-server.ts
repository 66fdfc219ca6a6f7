import { lookup } from 'node:dns/promises';
import type { ResourceDefinition } from '../api/definition.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../api/object.ts';
import type { ReadYAML } from '../api/schema/yaml-reader.ts';
import type { UserInfo } from '../api/user.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { joinHostPort, listenOn } from '../base/socket-address.ts';
import type { Transport } from '../client/client.ts';
import type { Store } from '../storage/contract.ts';
import { type Aggregation, Aggregator, RemoteCalls } from './aggregation/index.ts';
import type { Auditor } from './audit/index.ts';
import type { ReviewDeps } from './authorization/reviews.ts';
import { ensureSystemObjects } from './bootstrap/system-objects.ts';
import { componentStatusVerb } from './component-status.ts';
import type { AdmissionPlugin, Authenticator, Authorizer, ObjectReader } from './contract.ts';
import { definitionHooks } from './crd/index.ts';
import { Definitions } from './definitions.ts';
import type { HealthCheck } from './discovery/health.ts';
import type { OpenIDProvider } from './discovery/openid.ts';
import { newPathHandlers, rawReader } from './discovery/paths.ts';
import { profilingHandler } from './discovery/profiling.ts';
import { Fairness, type FairnessOptions, flowDebugHandler } from './flowcontrol/index.ts';
import { AccessMetrics } from './http/access-metrics.ts';
import { HTTPSServer, type TLSMaterial } from './http/https-server.ts';
import { RequestHandler } from './http/request-handler.ts';
import { RequestMetrics } from './http/request-metrics.ts';
import { Underway } from './http/underway.ts';
import { InProcessTransport } from './inprocess/transport.ts';
import { Upgrades } from './proxy/upgrades.ts';
import { AdmissionMetrics } from './registry/admission-metrics.ts';
import { RegistryCore } from './registry/core.ts';
import { namespaceHooks } from './registry/namespace-hooks.ts';
import { SchemaEngine } from './registry/schema-engine.ts';
import { Pipeline } from './request/pipeline.ts';
import { ResourceMetrics, resourceMetricsVerbs, scrapeOverHTTPS } from './resource-metrics/index.ts';
import { registerServerMetrics, StorageMetrics } from './server-metrics.ts';
import { ServiceAddresses } from './services/service-addresses.ts';
import { subresourceVerbs, type TokenRequests, virtualVerbs } from './subresources/index.ts';
import { type KubeletTLS, kubeletAgent } from './subresources/kubelet-agent.ts';
import { KubeletProxy } from './subresources/kubelet-proxy.ts';
import { type CacheOptions, REGISTRY_PREFIX, storedType, WatchCache } from './watchcache/watch-cache.ts';

/** How long requests that are under way may take when the server stops. */
const DRAIN_MS = 10_000;
/** Upstream's timeout of the etcd check. */
const STORE_CHECK_MS = 2000;

export interface APIServerOptions {
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  /** The address in the endpoints of the `kubernetes` Service; absent: no such Service is kept. */
  readonly advertiseAddress?: string;
  /** One or two (dual stack) networks; the first address of the first is the `kubernetes` Service's. */
  readonly serviceCIDRs: readonly string[];
  /** First and last port, inclusive. */
  readonly nodePortRange: readonly [number, number];
  readonly tls: TLSMaterial;
  /** How many requests of clients may be under way (see Fairness); absent: any number. */
  readonly fairness?: FairnessOptions;
  /** How long answers that are no streams may take (default: a minute). */
  readonly requestTimeoutMs?: number;
  /** Whether /debug/pprof/ is served, to those who may see it. */
  readonly profiling?: boolean;
  /** The settings of the process as /flagz shows them; absent: none. */
  readonly flags?: Readonly<Record<string, string>>;
}

const REQUEST_TIMEOUT_MS = 60_000;

export interface APIServerDeps {
  readonly store: Store;
  /** See RegistryDeps. */
  readonly isStale?: (key: string) => Promise<boolean> | undefined;
  readonly definitions: readonly ResourceDefinition[];
  /** Both may need the server's reader: they are made once it is there. */
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** In order; mutation of all comes before validation of all. */
  readonly admission: readonly AdmissionPlugin[];
  /** Absent: serviceaccounts/token is not served. */
  readonly tokenIssuer?: TokenRequests;
  /** Absent: the review kinds are not served. */
  readonly reviews?: ReviewDeps;
  readonly openID?: OpenIDProvider;
  /** What other servers serve; absent: nothing is aggregated. */
  readonly aggregation?: Aggregation;
  /** How the server identifies itself to kubelets. */
  readonly kubelet?: KubeletTLS;
  readonly healthChecks?: readonly HealthCheck[];
  /** The parts of the control plane beside the server and its store, by upstream's names. */
  readonly components?: readonly HealthCheck[];
  /** Absent: nothing is audited. */
  readonly auditor?: Auditor;
  /** What OpenAPI documents say of built-in types: see `describer`. Read when a document is made, not before. */
  readonly descriptions?: () => Uint8Array | undefined;
  /** How YAML bodies are read; absent: on the event loop. */
  readonly readYAML?: ReadYAML;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What authentication, authorization and admission are made from, before the server itself. */
export interface APIServer {
  readonly component: Component;
  readonly definitions: Definitions;
  readonly reader: ObjectReader;
  /** The port once listening, 0 before. */
  readonly port: number;
  readonly url: string;
  transport(user: UserInfo): Transport;
  reloadTLS(tls: TLSMaterial): void;
  /** From now on /readyz fails, while requests are served as before. */
  announceShutdown(): void;
  /** Serves a definition from now on (a CRD); replaces one of the same group, version and name. */
  addDefinition(definition: ResourceDefinition): Promise<void>;
  removeDefinition(definition: ResourceDefinition): void;
}

/** The cache that `createAPIServer` serves from; made first, since authenticators, authorizers and plugins read from it. */
export function createWatchCache(store: Store, definitions: readonly ResourceDefinition[]): WatchCache {
  const cache = new WatchCache({ store });
  for (const definition of definitions) cache.declare(storedType(definition), cacheOptionsOf(storedType(definition)));
  return cache;
}

export function createAPIServer(options: APIServerOptions, deps: APIServerDeps, cache: WatchCache): APIServer {
  return new Server(options, deps, cache);
}

class Server implements APIServer, Component {
  readonly name = 'apiserver';
  readonly component: Component = this;
  readonly definitions: Definitions;
  readonly #options: APIServerOptions;
  readonly #deps: APIServerDeps;
  readonly #cache: WatchCache;
  readonly #pipeline: Pipeline;
  readonly #https: HTTPSServer;
  readonly #handler: RequestHandler;
  readonly #addresses: ServiceAddresses;
  readonly #fairness: Fairness | undefined;
  readonly #resourceMetrics: ResourceMetrics;
  readonly #raw: (path: string, user: UserInfo, signal: AbortSignal) => Promise<unknown>;
  readonly #remote: RemoteCalls | undefined;
  #port = 0;
  readonly #underway = new Underway();
  #isReady = false;
  #isEnding = false;

  constructor(options: APIServerOptions, deps: APIServerDeps, cache: WatchCache) {
    const { clock, logger, authorizer } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#cache = cache;
    this.definitions = new Definitions(deps.definitions);
    this.#addresses = new ServiceAddresses(options, { reader: cache });
    registerServerMetrics(deps.metrics, this.definitions, cache);
    const engine = new SchemaEngine({
      definitions: this.definitions,
      ...(deps.readYAML === undefined ? {} : { readYAML: deps.readYAML }),
    });
    const hooks = new Map([
      ['/namespaces', namespaceHooks],
      ['/services', this.#addresses.hooks],
      ['apiextensions.k8s.io/customresourcedefinitions', definitionHooks(clock)],
    ]);
    const core = new RegistryCore({
      store: deps.store,
      ...(deps.isStale === undefined ? {} : { isStale: deps.isStale }),
      cache,
      definitions: this.definitions,
      engine,
      admission: deps.admission,
      authorizer,
      clock,
      storageMetrics: new StorageMetrics(deps.metrics),
      admissionMetrics: new AdmissionMetrics(deps.metrics),
      hooks,
    });
    const kubelets = kubeletAgent(deps.kubelet);
    const store = { name: 'etcd-0', check: () => this.#checkStore() };
    this.#resourceMetrics = new ResourceMetrics({ reader: cache, scrape: scrapeOverHTTPS(kubelets), clock, logger });
    this.#pipeline = new Pipeline({
      core,
      definitions: this.definitions,
      authorizer,
      subresources: subresourceVerbs({ tokenIssuer: deps.tokenIssuer }),
      virtual: new Map([
        ...virtualVerbs({ reviews: deps.reviews }),
        ...resourceMetricsVerbs(this.#resourceMetrics),
        ['/componentstatuses', componentStatusVerb([...(deps.components ?? []), store])],
      ]),
    });
    this.#fairness = options.fairness && this.#newFairness(options.fairness);
    const upgrades = new Upgrades();
    const connect = new KubeletProxy({
      core,
      authorizer,
      upgrades,
      lookup: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
      kubelets,
    });
    const paths = newPathHandlers({
      definitions: this.definitions,
      ...(deps.aggregation === undefined ? {} : { remote: deps.aggregation.discovery }),
      logger,
      clock,
      metrics: deps.metrics,
      checks: [
        { name: 'etcd', check: () => this.#checkStore() },
        { name: 'etcd-readiness', readyOnly: true, check: () => this.#checkStore() },
        { name: 'informer-sync', readyOnly: true, check: () => (this.#isReady ? undefined : 'caches are loading') },
        ...(deps.healthChecks ?? []),
        { name: 'shutdown', readyOnly: true, check: () => (this.#isEnding ? 'process is shutting down' : undefined) },
      ],
      debug: [
        ...(this.#fairness === undefined ? [] : [flowDebugHandler(this.#fairness)]),
        ...(options.profiling === true ? [profilingHandler(clock)] : []),
      ],
      flags: options.flags ?? {},
      ...(deps.openID === undefined ? {} : { openID: deps.openID }),
      ...(deps.descriptions === undefined ? {} : { descriptions: deps.descriptions }),
      serverAddress: () => joinHostPort(options.advertiseAddress ?? options.bindAddress, this.#port),
    });
    const requestMetrics = new RequestMetrics(deps.metrics, this.definitions);
    this.#handler = new RequestHandler(
      { requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS },
      {
        pipeline: this.#pipeline,
        authenticator: deps.authenticator,
        authorizer,
        ...(deps.auditor === undefined ? {} : { auditor: deps.auditor }),
        ...(this.#fairness === undefined ? {} : { fairness: this.#fairness }),
        paths,
        connect,
        ...(deps.aggregation === undefined ? {} : { remote: new Aggregator({ ...deps.aggregation, upgrades, clock }) }),
        clock,
        logger,
        metrics: requestMetrics,
        access: new AccessMetrics(deps.metrics),
        underway: this.#underway,
      },
    );
    const { aggregation } = deps;
    const remote = aggregation && {
      discovery: aggregation.discovery,
      calls: new RemoteCalls({ ...aggregation, clock }),
    };
    this.#remote = remote?.calls;
    const reading = { pipeline: this.#pipeline, definitions: this.definitions };
    this.#raw = rawReader(remote === undefined ? reading : { ...reading, remote });
    this.#https = new HTTPSServer(options, {
      request: (request, response) => void this.#handler.handle(request, response),
      upgrade: (request, socket, head) => void this.#handler.handle(request, upgrades.expect(request, socket, head)),
      handshakeFailed: () => requestMetrics.handshakeFailed(),
    });
  }

  #newFairness(options: FairnessOptions): Fairness {
    const { clock, metrics } = this.#deps;
    return new Fairness(options, {
      reader: this.#cache,
      clock,
      metrics,
      statistics: ({ group, version, resource }) => {
        const definition = this.definitions.get(group, version, resource);
        if (definition === undefined || !definition.verbs.includes('list')) return undefined;
        const { size, averageBytes, watcherCount } = this.#cache.cacheOf(storedType(definition));
        return { objects: size, averageBytes, watchers: watcherCount };
      },
    });
  }

  get reader(): ObjectReader {
    return this.#cache;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { bindAddress } = this.#options;
    const { host = '127.0.0.1' } = listenOn(bindAddress);
    return `https://${joinHostPort(host, this.#port)}`;
  }

  transport(user: UserInfo): Transport {
    const { auditor } = this.#deps;
    return new InProcessTransport(user, {
      pipeline: this.#pipeline,
      raw: this.#raw,
      ...(this.#remote === undefined ? {} : { remote: this.#remote }),
      ...(auditor === undefined ? {} : { auditor }),
    });
  }

  reloadTLS(tls: TLSMaterial): void {
    this.#https.reload(tls);
  }

  announceShutdown(): void {
    this.#isEnding = true;
  }

  async addDefinition(definition: ResourceDefinition): Promise<void> {
    await this.#cache.add(storedType(definition), cacheOptionsOf(storedType(definition)));
    const before = this.definitions.of(definition.type);
    this.definitions.add(definition);
    const { core } = this.#pipeline;
    // Watches of a kind that is going away see its objects go.
    if (before !== undefined && definition.terminating) core.continued(before, definition);
    else if (before !== undefined) core.replaced(before);
  }

  removeDefinition(definition: ResourceDefinition): void {
    this.definitions.remove(definition.type);
    this.#pipeline.core.replaced(definition);
    for (const other of this.definitions.all()) {
      if (storedType(other).resource === definition.type.resource && storedType(other).group === definition.type.group)
        return;
    }
    this.#cache.remove(storedType(definition));
  }

  /** undefined: the store answers in time. */
  async #checkStore(): Promise<string | undefined> {
    const { store, clock } = this.#deps;
    const stop = new AbortController();
    const late = clock.sleep(STORE_CHECK_MS, stop.signal).then(() => 'the store does not answer');
    try {
      return await Promise.race([store.get(`${REGISTRY_PREFIX}health`).then(() => undefined), late]);
    } catch (error) {
      return describeError(error);
    } finally {
      stop.abort();
    }
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const loaded = Promise.withResolvers<void>();
    // The cache outlives the signal: requests that are still under way need it.
    const cacheStop = new AbortController();
    const cacheRun = this.#cache.run(cacheStop.signal, () => loaded.resolve());
    await Promise.race([loaded.promise, cacheRun, aborted(signal)]);
    if (signal.aborted) {
      cacheStop.abort();
      return cacheRun;
    }
    this.#addresses.start();
    const stopFairness = this.#fairness?.start();
    try {
      this.#port = await this.#https.listen();
      const master = this.transport({ username: 'system:apiserver', groups: ['system:masters'] });
      await ensureSystemObjects(
        { ...this.#options, port: this.#port },
        { transport: master, addresses: this.#addresses },
      );
      this.#isReady = true;
      this.#deps.logger.info({ url: this.url }, 'serving');
      ready();
      await Promise.race([aborted(signal), cacheRun]);
    } finally {
      this.announceShutdown();
      const closed = this.#https.close();
      await this.#underway.drain(DRAIN_MS, this.#deps.clock);
      this.#isReady = false;
      this.#https.destroyConnections();
      await closed;
      cacheStop.abort();
      stopFairness?.();
      this.#resourceMetrics.close();
      this.#addresses.stop();
    }
    await cacheRun;
  }
}

/** How the objects of a stored type are kept. */
function cacheOptionsOf({ group, resource }: ResourceType): CacheOptions {
  switch (group === '' ? resource : undefined) {
    case 'pods':
      // Kubelets and schedulers ask for the pods of a node.
      return { indexedField: { path: 'spec.nodeName', value: nodeNameOf } };
    case 'events':
      // Several for each pod, for an hour; upstream does not cache them at all.
      return { parsedOnDemand: true };
    default:
      return {};
  }
}

function nodeNameOf(object: DeepReadonly<KubeObject>): string {
  return (object['spec'] as { readonly nodeName?: string } | undefined)?.nodeName ?? '';
}
