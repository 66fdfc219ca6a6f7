import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { threadedYAML } from '../../api/schema/yaml-reader.ts';
import { aborted } from '../../base/abort.ts';
import { systemClock } from '../../base/clock.ts';
import { systemExec } from '../../base/exec.ts';
import { type Component, component, Group } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { type Client, createClient, createInformers } from '../../client/index.ts';
import type { StandaloneConfig } from '../../config/index.ts';
import { Deployer, ManifestDirectory } from '../../deploy/index.ts';
import { detectNodeAddresses } from '../../network/index.ts';
import { LevelStore, MemoryStore } from '../../storage/index.ts';
import { dataDirInUse } from '../data-dir-in-use.ts';
import { layoutOf } from '../layout.ts';
import { createNode } from '../node.ts';
import type { Payload } from '../payload.ts';
import { processFile } from '../process-file.ts';
import { localNames, localObjects } from './local-objects.ts';
import { isNamePortFree, nameServerAddress, podNames } from './pod-names.ts';
import { podStatesFile } from './pod-states.ts';

export interface StandaloneDeps {
  readonly logger: Logger;
  readonly payload: Payload;
  readonly version: string;
  /** Starts a thread that reads YAML: see threadedYAML. */
  readonly yamlThread: () => Worker;
  /** Aborts to stop. */
  readonly signal: AbortSignal;
}

/**
 * A machine that runs pods without a cluster: the node that a server and an agent run too, over objects of its own. Static pods
 * come from the manifest directory as everywhere; Pods, ConfigMaps and Secrets from `agent/manifests`. No port is opened but
 * those of the pods. When this ends the pods go on running. Throws ConfigError for what the user can mend.
 */
export async function runStandalone(config: StandaloneConfig, deps: StandaloneDeps): Promise<void> {
  const { logger, payload, signal } = deps;
  const clock = systemClock;
  const metrics = createMetrics();
  const layout = layoutOf(config.paths);
  const nodeIPs = config.nodeIPs.length > 0 ? config.nodeIPs : await detectNodeAddresses(systemExec);
  logger.info({ version: deps.version, dataDir: config.paths.dataDir, podCIDRs: config.podCIDRs }, 'starting alone');
  const store = await openStore(layout.localDatabaseDir, config, logger);
  try {
    const objects = localObjects(config.nodeName, { store, clock, metrics });
    const client = createClient(objects.transport);
    const informers = createInformers(client, { clock, logger });
    const names = localNames({ store: new MemoryStore(), clock, metrics: createMetrics() });
    const namesClient = createClient(names.transport);
    const hasNames = await canServeNames(config, logger);
    const cluster = {
      clusterCIDRs: config.podCIDRs,
      serviceCIDRs: [],
      clusterDNS: hasNames ? [nameServerAddress(config.paths.dataDir)] : [],
      clusterDomain: 'cluster.local',
      networkBackend: 'host-gw',
    } as const;
    const node = createNode(
      { ...config, disabled: new Set([...config.disabled, 'ingress' as const, ...(hasNames ? [] : ['dns' as const])]) },
      cluster,
      {
        access: { kubelet: client, network: client, dns: namesClient, ingress: client },
        payload,
        nodeIPs,
        clock,
        exec: systemExec,
        logger,
        metrics,
      },
    );
    const deployer = new Deployer(
      { bundled: [] },
      {
        client,
        readYAML: threadedYAML({ spawn: deps.yamlThread, clock }),
        clock,
        logger: logger.child({ component: 'deploy' }),
        source: new ManifestDirectory(layout.localManifestDir),
      },
    );
    const parts = [
      processFile('pid-file', layout.pidFile, [layout.readyFile, layout.podStatesFile]),
      objects,
      names,
      ownNode(config, client),
      ...node,
      deployer,
      informers,
      podNames({ informers, client: namesClient, logger: logger.child({ component: 'names' }) }),
      podStatesFile(layout.podStatesFile, informers, logger),
      processFile('ready-file', layout.readyFile, []),
    ];
    await new Group('standalone', parts, { logger }).run(signal, () => logger.info({}, 'all parts are running'));
  } finally {
    await store.close();
    await rm(layout.podStatesFile, { force: true });
  }
}

/** Without names pods run all the same; with those of the machine only. */
async function canServeNames({ podCIDRs, disabled }: StandaloneConfig, logger: Logger): Promise<boolean> {
  if (disabled.has('dns') || !podCIDRs.some((cidr) => !cidr.includes(':'))) return false;
  if (await isNamePortFree()) return true;
  logger.warn({}, 'another name server listens on port 53 of all addresses: pods cannot find each other by name');
  return false;
}

/** The node with the pod network that a cluster would have given it. */
function ownNode({ nodeName, podCIDRs }: StandaloneConfig, client: Client): Component {
  return component('own-node', async (signal, ready) => {
    const spec = { podCIDRs: [...podCIDRs], podCIDR: podCIDRs[0] ?? '' };
    try {
      await client.create(resources.nodes, { metadata: { name: nodeName }, spec, status: {} }, {}, signal);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
    ready();
    await aborted(signal);
  });
}

async function openStore(path: string, { paths }: StandaloneConfig, logger: Logger): Promise<LevelStore> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await LevelStore.open({ path }, { logger: logger.child({ component: 'storage' }) });
  } catch (error) {
    throw dataDirInUse(error, paths.dataDir) ?? error;
  }
}
