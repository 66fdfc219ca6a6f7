import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { resources } from '../api/generated/resources.ts';
import { threadedYAML } from '../api/schema/yaml-reader.ts';
import { aborted } from '../base/abort.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { systemExec } from '../base/exec.ts';
import { type Component, component, Group } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { registerProcessMetrics } from '../base/process-metrics.ts';
import {
  type Client,
  createEventRecorder,
  createEventSeriesRecorder,
  createInformers,
  RestClientMetrics,
} from '../client/index.ts';
import { ConfigError, nthAddress, type ServerConfig } from '../config/index.ts';
import { createControllerMetrics } from '../controller/controller-metrics.ts';
import { controllers } from '../controllers/index.ts';
import { Deployer, ManifestDirectory } from '../deploy/index.ts';
import { createIngressStatus } from '../ingress/index.ts';
import { detectNodeAddresses } from '../network/index.ts';
import {
  ensurePKI,
  inspectCertificateRequest,
  type PKI,
  signCertificateRequest,
  writeKubeconfig,
} from '../pki/index.ts';
import { createScheduler } from '../scheduler/index.ts';
import { isStoreError, LevelStore, SealedStore } from '../storage/index.ts';
import { createAuditor } from './audit.ts';
import { type ControlPlane, createControlPlane, users } from './control-plane.ts';
import { dataDirInUse } from './data-dir-in-use.ts';
import { exists, openEncryption } from './encryption.ts';
import { frontDoor } from './front-door.ts';
import { layoutOf } from './layout.ts';
import { createNode, type NodeAccess } from './node.ts';
import { optimizeSooner } from './optimize-sooner.ts';
import type { Payload } from './payload.ts';
import { policyTypeChecker } from './policy-type-checker.ts';
import { portFlags, portInUse } from './port-in-use.ts';
import { processFile } from './process-file.ts';
import { loadSchedulerConfiguration } from './scheduler-configuration.ts';

export interface ServerDeps {
  readonly logger: Logger;
  readonly payload: Payload;
  /** The YAML that every cluster gets, by file name. */
  readonly manifests: Readonly<Record<string, string>>;
  /** Descriptions of the built-in types, as APIServerDeps has them. */
  readonly descriptions?: () => Uint8Array | undefined;
  /** Starts a thread that reads YAML: see threadedYAML. */
  readonly yamlThread: () => Worker;
  readonly version: string;
  /** Aborts to stop. */
  readonly signal: AbortSignal;
}

/**
 * A whole cluster in this process, from its data directory to a Ready node, until `signal` aborts. Throws ConfigError for
 * what the user can mend (a port or data directory in use), and what made a part fail.
 */
export async function runServer(config: ServerConfig, deps: ServerDeps): Promise<void> {
  const { logger, signal } = deps;
  const clock = systemClock;
  const metrics = createMetrics();
  registerProcessMetrics(metrics);
  const requests = new RestClientMetrics(metrics);
  const readYAML = threadedYAML({ spawn: deps.yamlThread, clock });
  const layout = layoutOf(config.paths);
  const nodeIPs = config.nodeIPs.length > 0 ? config.nodeIPs : await detectNodeAddresses(systemExec);
  const [nodeIP = '127.0.0.1'] = nodeIPs;
  const advertiseAddress = config.advertiseAddress ?? nodeIP;

  const isNew = !(await exists(layout.databaseDir));
  const database = await openStore(config, layout.databaseDir, logger);
  try {
    const encryption = await openEncryption(config, layout, isNew, { clock, logger, metrics });
    const store = encryption === undefined ? database : new SealedStore(database, encryption);
    const pki = await ensurePKI(layout.serverDir, {
      clock,
      nodeName: config.nodeName,
      nodeAddresses: nodeIPs,
      serverNames: [...config.tlsSANs, advertiseAddress],
      serviceIPs: config.serviceCIDRs.map((cidr) => nthAddress(cidr, 1)),
      clusterDomain: config.clusterDomain,
      ...(config.token === undefined ? {} : { joinSecret: config.token }),
    });
    const auditor = config.audit && (await createAuditor(config.audit, { clock, logger, metrics, requests }));
    const controlPlane = await createControlPlane(config, {
      requests,
      store,
      pki,
      advertiseAddress,
      clock,
      logger,
      metrics,
      ...(auditor === undefined ? {} : { auditor }),
      ...(deps.descriptions === undefined ? {} : { descriptions: deps.descriptions }),
      readYAML,
    });
    const { server, clientFor } = controlPlane;

    const managerClient = clientFor(users.controllerManager);
    const door = frontDoor({ pki, clock, requests, port: () => server.port });
    const managerLogger = logger.child({ component: 'controllers' });
    const informers = createInformers(managerClient, { clock, logger: managerLogger });
    const schedulerClient = clientFor(users.scheduler);
    const schedulerLogger = logger.child({ component: 'scheduler' });
    const schedulerConfiguration = await loadSchedulerConfiguration(config.schedulerConfigFile);
    const random = Math.random;

    const parts = [
      processFile('pid-file', layout.pidFile, [layout.readyFile]),
      ...(encryption === undefined ? [] : [encryption]),
      // Stopped after the server: what its last requests leave behind is written.
      ...(auditor === undefined ? [] : [auditor]),
      server.component,
      component('kubeconfig', async (stopped, ready) => {
        await writeKubeconfig(config.paths.kubeconfig, {
          server: `https://127.0.0.1:${server.port}`,
          certificateAuthorityPEM: pki.serverCA.certificatePEM,
          clientCertificatePEM: pki.admin.certificatePEM,
          clientKeyPEM: pki.admin.keyPEM,
        });
        ready();
        await aborted(stopped);
      }),
      controlPlane.customResources,
      ...controlPlane.aggregation,
      ...controlPlane.configuration,
      controlPlane.bootstrap,
      controlPlane.flowObjects,
      controlPlane.serviceNetworks,
      informers,
      ...(config.disabled.has('controllers')
        ? []
        : controllers({
            client: managerClient,
            informers,
            clock,
            logger: managerLogger,
            random,
            metrics: createControllerMetrics(metrics),
            rootCA: pki.serverCA.certificatePEM,
            clusterCIDRs: config.clusterCIDRs,
            legacyTokens: controlPlane.tokenIssuer,
            ...(config.disabled.has('service-load-balancer')
              ? {}
              : {
                  loadBalancer: {
                    client: clientFor(users.serviceLoadBalancer),
                    reservedPorts: new Map([
                      [config.port, 'the API server'],
                      [config.kubeletPort, 'the kubelets'],
                    ]),
                    ingressPorts: config.disabled.has('ingress')
                      ? []
                      : [config.ingress.http.port, config.ingress.https.port],
                  },
                }),
            checkPolicyTypes: policyTypeChecker(controlPlane.server.definitions),
            removeLocalVolume: door.removeLocalVolume,
            removeDirectory: (path) => rm(path, { recursive: true, force: true }),
            migratesStorageVersions:
              controlPlane.server.definitions.of(resources.storageversionmigrations) !== undefined,
            certificateSigner: {
              inspect: inspectCertificateRequest,
              sign: (name, pem, options) =>
                signCertificateRequest(name === 'kubernetes.io/kubelet-serving' ? pki.serverCA : pki.clientCA, pem, {
                  ...options,
                  nowMs: clock.now(),
                }),
            },
          })),
      ...(config.disabled.has('scheduler')
        ? []
        : [
            createScheduler(
              {
                client: schedulerClient,
                informers,
                recorderFor: (reportingController) =>
                  createEventSeriesRecorder(
                    { reportingController, reportingInstance: `${reportingController}-${config.nodeName}` },
                    { client: schedulerClient, clock, logger: schedulerLogger },
                  ),
                clock,
                logger: schedulerLogger,
                metrics,
                random,
              },
              schedulerConfiguration,
            ),
          ]),
      ...(config.disabled.has('deploy')
        ? []
        : [
            new Deployer(
              {
                bundled: bundledManifests(deps.manifests, config).map(([name, text]) => ({
                  name: `bundled/${name}`,
                  text: fillIn(text, config),
                })),
              },
              {
                client: clientFor(users.master),
                readYAML,
                clock,
                logger: logger.child({ component: 'deploy' }),
                source: new ManifestDirectory(layout.manifestDir),
              },
            ),
          ]),
      ...(config.disabled.has('ingress') || config.disabled.has('controllers')
        ? []
        : ingressStatus(clientFor(users.ingress), { clock, logger: logger.child({ component: 'ingress' }) })),
      ...createNode(config, config, {
        access: serverNodeAccess(config.nodeName, controlPlane, pki),
        payload: deps.payload,
        nodeIPs,
        clock,
        exec: systemExec,
        logger,
        metrics,
      }),
      processFile('ready-file', layout.readyFile, []),
      // The last part is stopped first: load balancers learn that the server goes while everything still works.
      component('shutdown-delay', async (stopped, ready) => {
        ready();
        await aborted(stopped);
        server.announceShutdown();
        await clock.sleep(config.shutdownDelayMs);
      }),
    ];
    logger.info({ version: deps.version, dataDir: config.paths.dataDir, node: config.nodeName }, 'starting');
    await new Group('server', parts, { logger }).run(signal, () => {
      logger.info({}, 'all parts are running');
      optimizeSooner();
    });
  } catch (error) {
    const flags = new Map([[config.port, '--https-listen-port'], ...portFlags(config)]);
    throw portInUse(error, flags) ?? unreadable(error) ?? error;
  } finally {
    await database.close();
  }
}

async function openStore(config: ServerConfig, path: string, logger: Logger): Promise<LevelStore> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await LevelStore.open(
      { path, retentionMs: config.historyRetentionMs },
      { logger: logger.child({ component: 'storage' }) },
    );
  } catch (error) {
    throw dataDirInUse(error, config.paths.dataDir) ?? error;
  }
}

/** The status and events of Ingresses: one for the cluster, unlike the answering of requests. */
function ingressStatus(client: Client, deps: { clock: Clock; logger: Logger }): Component[] {
  const informers = createInformers(client, deps);
  const recorder = createEventRecorder({ component: 'ingress' }, { client, ...deps });
  return [informers, createIngressStatus({ client, informers, recorder, ...deps })];
}

/** The server's own node speaks to the API server in this process. */
function serverNodeAccess(nodeName: string, { clientFor }: ControlPlane, pki: PKI): NodeAccess {
  const { certificatePEM: cert, keyPEM: key } = pki.kubeletServing;
  return {
    kubelet: clientFor(users.node(nodeName)),
    network: clientFor(users.network),
    dns: clientFor(users.dns),
    ingress: clientFor(users.ingress),
    serving: { current: () => ({ cert, key, clientCA: pki.clientCA.certificatePEM }), onRenewed: () => () => {} },
  };
}

/** Bundled manifests name what depends on the configuration as `%{CLUSTER_DNS}`. */
function fillIn(text: string, config: ServerConfig): string {
  return text.replaceAll('%{CLUSTER_DNS}', config.clusterDNS[0] ?? '');
}

/** A clear error for values that the configured keys do not open. */
function unreadable(error: unknown): ConfigError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (isStoreError(cause, 'UNREADABLE')) return new ConfigError(cause.message, { cause: error });
  }
  return undefined;
}

/** The manifests of the parts that are not left out. */
function bundledManifests(manifests: Readonly<Record<string, string>>, config: ServerConfig): [string, string][] {
  const left = (name: string): boolean =>
    (name === 'local-storage.yaml' && config.disabled.has('local-storage')) ||
    (name === 'ingress-class.yaml' && config.disabled.has('ingress'));
  return Object.entries(manifests).filter(([name]) => !left(name));
}
