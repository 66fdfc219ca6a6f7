import { join } from 'node:path';
import { parseDuration } from '../../api/duration.ts';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { systemClock } from '../../base/clock.ts';
import { type Exec, systemExec } from '../../base/exec.ts';
import { type Component, Group } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import {
  createClient,
  createEventRecorder,
  HTTPTransport,
  KubeconfigError,
  loadKubeconfig,
} from '../../client/index.ts';
import { ConfigError, type HollowConfig } from '../../config/index.ts';
import { type CRI, MemoryRuntime } from '../../cri/index.ts';
import { createKubelet, type KubeletDeps, ObjectCache } from '../../kubelet/index.ts';
import { detectNodeAddresses } from '../../network/index.ts';
import { type ClusterFacts, readClusterConfigMap } from '../cluster-config-map.ts';
import { layoutOf } from '../layout.ts';
import { processFile } from '../process-file.ts';
import { AddressPool } from './address-pool.ts';
import { HollowInformers } from './hollow-informers.ts';
import { startedInTurn } from './hollow-nodes.ts';

/** On every hollow node: the API server refuses by it what needs a kubelet that answers. */
const HOLLOW_LABEL = 'kube-lite/hollow';
/** Of a pod: how long its containers run before they end with exit code 0, as `30s`; without it until they are stopped. */
const RUN_TIME_ANNOTATION = 'kube-lite/hollow-run-time';
/** All nodes together: a connection for each request that a thousand nodes have at once would cost more than the requests. */
const MAX_CONNECTIONS = 32;
/**
 * Heartbeats do not wait behind what pods cause: a busy server gives each connection the same. A lease is renewed every ten seconds,
 * so with this many nodes to one all come in time as long as an answer takes two seconds. Connections are made when they are needed.
 */
const NODES_A_HEARTBEAT_CONNECTION = 4;
const MIN_HEARTBEAT_CONNECTIONS = 8;
const FIRST_ANSWER_RETRY_MS = 1_000;

export interface HollowAgentDeps {
  readonly logger: Logger;
  readonly version: string;
  /** Aborts to stop. */
  readonly signal: AbortSignal;
}

/**
 * Nodes for tests of a cluster's capacity: real kubelets over a runtime in memory, with one connection, one identity and one set of
 * watches for all. They change nothing on the machine but their files. Throws ConfigError for what the user can mend.
 */
export async function runHollowAgent(config: HollowConfig, deps: HollowAgentDeps): Promise<void> {
  const { logger, signal } = deps;
  const clock = systemClock;
  const layout = layoutOf(config.paths);
  const nodeIPs = config.nodeIPs.length > 0 ? config.nodeIPs : await detectNodeAddresses(systemExec);
  logger.info({ version: deps.version, dataDir: config.paths.dataDir, nodes: config.count }, 'starting hollow nodes');
  const transport = await connect(config.kubeconfig, MAX_CONNECTIONS);
  const heartbeats = await connect(
    config.kubeconfig,
    Math.max(MIN_HEARTBEAT_CONNECTIONS, Math.ceil(config.count / NODES_A_HEARTBEAT_CONNECTION)),
  );
  try {
    const client = createClient(transport);
    const cluster = await readCluster(() => readClusterConfigMap(client, signal), deps);
    const informers = new HollowInformers(client, HOLLOW_LABEL, { clock, logger });
    const objects = new ObjectCache({ client, clock, logger });
    const shared = {
      client,
      heartbeats: createClient(heartbeats),
      objects,
      clock,
      metrics: createMetrics(),
      exec: noCommands,
    };
    const nodes = Array.from({ length: config.count }, (_, i) => {
      const nodeName = `${config.nodeName}-${i + 1}`;
      return hollowNode({ config, cluster, nodeIPs, nodeName, directory: join(layout.hollowDir, nodeName) }, (own) => ({
        ...shared,
        informers: informers.forNode(nodeName),
        logger: logger.child({ component: 'kubelet', node: nodeName }),
        recorder: createEventRecorder({ component: 'kubelet', host: nodeName }, { client, clock, logger }),
        cri: own,
      }));
    });
    const parts = [
      processFile('pid-file', layout.pidFile, [layout.readyFile]),
      informers,
      startedInTurn('hollow-nodes', nodes),
      processFile('ready-file', layout.readyFile, []),
    ];
    await new Group('agent', parts, { logger }).run(signal, () => logger.info({}, 'all nodes are running'));
  } finally {
    await Promise.all([transport.close(), heartbeats.close()]);
  }
}

async function connect(kubeconfig: string, maxConnections: number): Promise<HTTPTransport> {
  try {
    const options = await loadKubeconfig(kubeconfig);
    return new HTTPTransport(
      { ...options, userAgent: 'kube-lite-hollow', maxConnections, dropManagedFields: true },
      { clock: systemClock },
    );
  } catch (error) {
    if (error instanceof KubeconfigError) throw new ConfigError(`--kubeconfig: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Waits for a server that does not answer, or has only begun to. */
async function readCluster(read: () => Promise<ClusterFacts>, deps: HollowAgentDeps): Promise<ClusterFacts> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      deps.signal.throwIfAborted();
      if (isStatusError(error, 'Unauthorized') || isStatusError(error, 'Forbidden')) {
        throw new ConfigError(`--kubeconfig: the cluster does not let this user be its nodes: ${error.message}`, {
          cause: error,
        });
      }
      deps.logger.warn({ err: error }, 'the cluster does not answer; trying again');
      await systemClock.sleep(FIRST_ANSWER_RETRY_MS, deps.signal);
    }
  }
}

interface HollowNodeInput {
  readonly config: HollowConfig;
  readonly cluster: ClusterFacts;
  readonly nodeIPs: readonly string[];
  readonly nodeName: string;
  /** All its files. */
  readonly directory: string;
}

function hollowNode(input: HollowNodeInput, depsFor: (cri: CRI) => KubeletDeps): Component {
  const { config, cluster, nodeName, directory } = input;
  let podCIDRs: () => readonly string[] = () => [];
  const runtime = new MemoryRuntime({
    name: 'hollow',
    clock: systemClock,
    addresses: new AddressPool(() => podCIDRs()),
    networkReady: () => podCIDRs().length > 0,
    runTimeMs: ({ annotations }) => runTimeMs(annotations?.[RUN_TIME_ANNOTATION]),
  });
  const deps = depsFor(runtime);
  const nodes = deps.informers.for(resources.nodes, { fieldSelector: `metadata.name=${nodeName}` });
  podCIDRs = () => nodes.lister.get(nodeName)?.spec.podCIDRs ?? [];
  const kubelet = createKubelet(
    {
      nodeName,
      nodeIPs: input.nodeIPs,
      rootDir: directory,
      runDir: directory,
      podLogsDir: join(directory, 'logs'),
      clusterDNS: cluster.clusterDNS,
      clusterDomain: cluster.clusterDomain,
      maxPods: config.maxPods,
      cgroupRoot: '/',
      cgroupsPerQOS: false,
      port: config.kubeletPort,
      nodeLabels: { ...config.nodeLabels, [HOLLOW_LABEL]: 'true' },
      nodeTaints: config.nodeTaints,
      // Its disk and memory are those of others.
      eviction: { thresholds: [], transitionPeriodMs: 0, maxPodGraceSeconds: 0 },
      hollow: true,
    },
    deps,
  );
  return new Group(nodeName, kubelet, { logger: deps.logger });
}

function runTimeMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseDuration(text);
  } catch {
    // Not a duration: as if it were not there.
    return undefined;
  }
}

/** A hollow node runs nothing on its machine. */
const noCommands: Exec = {
  run: async (command) => {
    throw new Error(`a hollow node runs no commands: ${command}`);
  },
};
