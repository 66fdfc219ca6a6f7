import type { ResourceType } from '../api/object.ts';
import { apiVersionOf } from '../api/object.ts';
import type { ReadYAML } from '../api/schema/yaml-reader.ts';
import { builtinDefinitions } from '../api/scheme.ts';
import { MASTERS_GROUP, type UserInfo } from '../api/user.ts';
import { admissionPlugins, ensureSystemPriorityClasses } from '../apiserver/admission/index.ts';
import { AvailabilityController, createAggregation, Registration } from '../apiserver/aggregation/index.ts';
import type { Auditor } from '../apiserver/audit/index.ts';
import { ensureAuthenticationConfigMap, TokenIssuer, TokenTracking } from '../apiserver/authentication/index.ts';
import {
  ensureBootstrapRBAC,
  NodeAuthorizer,
  NodeReferences,
  RBACAuthorizer,
} from '../apiserver/authorization/index.ts';
import { ConversionMetrics, CustomResources } from '../apiserver/crd/index.ts';
import { type APIServer, createAPIServer, createWatchCache, FlowObjects, StartHooks } from '../apiserver/index.ts';
import { resolveService } from '../apiserver/services/service-endpoint.ts';
import { ServiceNetworks } from '../apiserver/services/service-networks.ts';
import { WebhookClient } from '../apiserver/webhooks/index.ts';
import type { Clock } from '../base/clock.ts';
import { type Component, component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { type Client, createClient, type RestClientMetrics } from '../client/index.ts';
import type { ServerConfig } from '../config/index.ts';
import type { PKI } from '../pki/index.ts';
import { SealedStore, type Store } from '../storage/index.ts';
import { createAuthentication } from './authentication.ts';
import { createAuthorization } from './authorization.ts';
import { ensureClusterConfigMap } from './cluster-config-map.ts';

export interface ControlPlaneDeps {
  /** Counts what is asked of other servers. */
  readonly requests: RestClientMetrics;
  readonly store: SealedStore | Store;
  readonly pki: PKI;
  readonly advertiseAddress: string;
  /** Absent: nothing is audited. */
  readonly auditor?: Auditor;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Descriptions of the built-in types, as APIServerDeps has them. */
  readonly descriptions?: () => Uint8Array | undefined;
  readonly readYAML: ReadYAML;
}

/** The API server with everything that decides about requests, and the identity of each part of this process. */
export interface ControlPlane {
  readonly server: APIServer;
  readonly tokenIssuer: TokenIssuer;
  clientFor(user: UserInfo): Client;
  /** Creates the objects that every cluster has; runs after the server. */
  readonly bootstrap: Component;
  /** Serves what CustomResourceDefinitions define; runs after the server. */
  readonly customResources: Component;
  /** Serves what other API servers serve; runs after the custom resources. */
  readonly aggregation: readonly Component[];
  /** Take up changes of configuration files. */
  readonly configuration: readonly Component[];
  /** Keeps the objects of priority and fairness; runs after the server. */
  readonly flowObjects: Component;
  /** Keeps the objects of Service networks and addresses; runs after the server. */
  readonly serviceNetworks: Component;
}

/** What must be there once before the server is healthy, by upstream's names. */
const START_HOOKS = [
  'start-system-namespaces-controller',
  'bootstrap-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'start-cluster-authentication-info-controller',
  'start-legacy-token-tracking-controller',
  'priority-and-fairness-config-producer',
] as const;

/** In-process identities; what they may do is in the bootstrap roles, but for the master. */
export const users = {
  master: { username: 'system:apiserver', groups: [MASTERS_GROUP, 'system:authenticated'] },
  controllerManager: { username: 'system:kube-controller-manager', groups: [MASTERS_GROUP, 'system:authenticated'] },
  scheduler: { username: 'system:kube-scheduler', groups: ['system:authenticated'] },
  network: { username: 'kube-lite:network', groups: ['system:authenticated'] },
  dns: { username: 'kube-lite:dns', groups: ['system:authenticated'] },
  ingress: { username: 'kube-lite:ingress', groups: ['system:authenticated'] },
  serviceLoadBalancer: { username: 'kube-lite:service-load-balancer', groups: ['system:authenticated'] },
  node: (nodeName: string) => ({
    username: `system:node:${nodeName}`,
    groups: ['system:nodes', 'system:authenticated'],
  }),
} as const satisfies Record<string, UserInfo | ((nodeName: string) => UserInfo)>;

export async function createControlPlane(config: ServerConfig, deps: ControlPlaneDeps): Promise<ControlPlane> {
  const { store, pki, clock, metrics, requests } = deps;
  const logger = deps.logger.child({ component: 'apiserver' });
  const definitions = builtinDefinitions({ runtimeConfig: config.runtimeConfig });
  const cache = createWatchCache(store, definitions);
  const issuer = `https://kubernetes.default.svc.${config.clusterDomain}`;
  const audiences = [issuer, 'kube-lite'];
  const keys = pki.serviceAccountKeys;

  // Authentication and admission write through the server that they are parts of.
  let server: APIServer | undefined;
  let customResources: CustomResources | undefined;
  const clientFor = (user: UserInfo): Client => {
    if (server === undefined) throw new Error('the API server is not made yet');
    return createClient(server.transport(user));
  };
  let master: Client | undefined;
  const masterClient = (): Client => {
    master ??= clientFor(users.master);
    return master;
  };
  const rbac = RBACAuthorizer.watch(cache).authorizer;
  const { references } = NodeReferences.watch(cache);
  const { authorizer, parts: authorizationParts } = await createAuthorization(config.authorization, {
    node: new NodeAuthorizer({ references, reader: cache }),
    rbac,
    requests,
    clock,
    logger,
  });
  const {
    authenticator,
    tokens,
    frontProxies,
    parts: authenticationParts,
  } = await createAuthentication(config, {
    pki,
    requests,
    metrics,
    reader: cache,
    issuer,
    audiences,
    clock,
    logger,
    get client() {
      return masterClient();
    },
  });
  const tokenIssuer = new TokenIssuer({ issuer, audiences }, { keys, reader: cache, clock });

  const webhooks = new WebhookClient({ clock, requests, resolve: (service) => resolveService(cache, service) });

  const plugins = admissionPlugins({
    reader: cache,
    clock,
    rbac,
    authorizer,
    logger: deps.logger.child({ component: 'admission' }),
    metrics,
    webhooks,
    get definitions() {
      if (server === undefined) throw new Error('the API server is not made yet');
      return server.definitions;
    },
    get client() {
      return masterClient();
    },
    resourceOf: (apiVersion, kind) => findResource(server, apiVersion, kind),
  });
  const aggregation = createAggregation({
    reader: cache,
    frontProxy: { cert: pki.frontProxyClient.certificatePEM, key: pki.frontProxyClient.keyPEM },
    clock,
    logger: deps.logger.child({ component: 'aggregation' }),
  });
  let registration: Registration | undefined;
  const hooks = new StartHooks(START_HOOKS);
  server = createAPIServer(
    {
      bindAddress: config.bindAddress,
      port: config.port,
      advertiseAddress: deps.advertiseAddress,
      serviceCIDRs: config.serviceCIDRs,
      requestTimeoutMs: config.requestTimeoutMs,
      fairness: { seats: config.maxRequestsInflight + config.maxMutatingRequestsInflight },
      profiling: config.profiling,
      flags: config.flags,
      nodePortRange: [config.nodePortRange.first, config.nodePortRange.last],
      tls: {
        // With its issuer: by that, machines that join know the server.
        cert: pki.apiserver.certificatePEM + pki.serverCA.certificatePEM,
        key: pki.apiserver.keyPEM,
        clientCA: pki.clientCA.certificatePEM + frontProxies.caPEM,
      },
    },
    {
      store,
      ...(store instanceof SealedStore ? { isStale: (key: string) => store.isStale(key) } : {}),
      definitions,
      authenticator,
      authorizer,
      aggregation,
      admission: plugins,
      tokenIssuer,
      reviews: { authorizer, rbac, tokens, audiences },
      openID: { configuration: () => tokenIssuer.discovery(), keys: () => tokenIssuer.jwks() },
      kubelet: {
        cert: pki.apiserverKubeletClient.certificatePEM,
        key: pki.apiserverKubeletClient.keyPEM,
        ca: pki.serverCA.certificatePEM,
      },
      healthChecks: [
        {
          name: 'poststarthook/crd-informer-synced',
          check: () => (customResources?.isReady === true ? undefined : 'custom resources are not served yet'),
        },
        {
          name: 'autoregister-completion',
          check: () => (registration?.isComplete === true ? undefined : 'APIServices are missing'),
        },
        ...hooks.checks(),
      ],
      // What runs here is well: a part that fails ends the process.
      components: (
        [
          ['scheduler', 'scheduler'],
          ['controller-manager', 'controllers'],
        ] as const
      ).map(([name, part]) => ({
        name,
        check: () => (config.disabled.has(part) ? `${part} is disabled` : undefined),
      })),
      clock,
      logger,
      metrics,
      ...(deps.auditor === undefined ? {} : { auditor: deps.auditor }),
      ...(deps.descriptions === undefined ? {} : { descriptions: deps.descriptions }),
      readYAML: deps.readYAML,
    },
    cache,
  );
  const bootstrap = component('bootstrap', async (signal, ready) => {
    const client = clientFor(users.master);
    hooks.done('start-system-namespaces-controller');
    hooks.done('bootstrap-controller');
    await ensureBootstrapRBAC(client, signal);
    hooks.done('rbac/bootstrap-roles');
    await ensureSystemPriorityClasses(client, signal);
    hooks.done('scheduling/bootstrap-system-priority-classes');
    const authorities = {
      clientCAPEM: pki.clientCA.certificatePEM,
      requestHeaderCAPEM: frontProxies.caPEM,
      allowedNames: frontProxies.allowedNames,
      headers: config.requestHeader,
    };
    await ensureAuthenticationConfigMap(authorities, client);
    hooks.done('start-cluster-authentication-info-controller');
    await ensureClusterConfigMap({ ...config, clientCAPEM: pki.clientCA.certificatePEM }, client, signal);
    await new TokenTracking({ reader: cache, client, clock, logger }).run(signal, () => {
      hooks.done('start-legacy-token-tracking-controller');
      ready();
    });
  });
  customResources = new CustomResources({
    metrics: new ConversionMetrics(metrics),
    server,
    webhooks,
    client: clientFor({ ...users.master, username: 'kube-apiserver' }),
    clock,
    logger: deps.logger.child({ component: 'custom-resources' }),
  });
  const flow = new FlowObjects({ reader: cache, client: clientFor(users.master), clock, logger });
  const flowObjects = component(flow.name, (signal, ready) =>
    flow.run(signal, () => {
      hooks.done('priority-and-fairness-config-producer');
      ready();
    }),
  );
  const serviceNetworks = new ServiceNetworks(config.serviceCIDRs, {
    reader: cache,
    client: clientFor(users.master),
    clock,
    logger,
  });
  const aggregationDeps = {
    reader: cache,
    client: clientFor({ ...users.master, username: 'kube-apiserver' }),
    clock,
    logger: deps.logger.child({ component: 'aggregation' }),
  };
  registration = new Registration({ ...aggregationDeps, builtin: definitions.map(({ type }) => type) });
  const availability = new AvailabilityController({ ...aggregationDeps, ...aggregation, metrics });
  return {
    server,
    tokenIssuer,
    clientFor,
    bootstrap,
    customResources,
    flowObjects,
    serviceNetworks,
    aggregation: [registration, availability, aggregation.discovery],
    configuration: [...authenticationParts, ...authorizationParts],
  };
}

function findResource(server: APIServer | undefined, apiVersion: string, kind: string): ResourceType | undefined {
  for (const { type } of server?.definitions.all() ?? [])
    if (type.kind === kind && apiVersionOf(type) === apiVersion) return type;
  return undefined;
}
