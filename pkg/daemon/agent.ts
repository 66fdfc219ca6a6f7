import { aborted } from '../base/abort.ts';
import { systemClock } from '../base/clock.ts';
import { systemExec } from '../base/exec.ts';
import { component, Group } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { createMetrics } from '../base/metrics.ts';
import { createClient, RestClientMetrics } from '../client/index.ts';
import type { AgentConfig } from '../config/index.ts';
import { detectNodeAddresses } from '../network/index.ts';
import { writeKubeconfig } from '../pki/index.ts';
import { lockDirectory } from '../storage/index.ts';
import { dataDirInUse } from './data-dir-in-use.ts';
import { refuseDuplicateNode } from './join/duplicate-node.ts';
import { NodeCredentials } from './join/node-credentials.ts';
import { type Layout, layoutOf } from './layout.ts';
import { createNode } from './node.ts';
import type { Payload } from './payload.ts';
import { portFlags, portInUse } from './port-in-use.ts';
import { processFile } from './process-file.ts';

export interface AgentDeps {
  readonly logger: Logger;
  readonly payload: Payload;
  readonly version: string;
  /** Aborts to stop. */
  readonly signal: AbortSignal;
}

/**
 * A machine of a cluster whose server is elsewhere: joins it, then runs the same node as a server does, over the network.
 * Without the server the pods go on running. Throws ConfigError for what the user can mend, and what made a part fail.
 */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<void> {
  const layout = layoutOf(config.paths);
  const release = await lockDirectory(layout.agentLockDir).catch((error: unknown) => {
    throw dataDirInUse(error, config.paths.dataDir) ?? error;
  });
  try {
    await run(config, layout, deps);
  } finally {
    await release();
  }
}

async function run(config: AgentConfig, layout: Layout, deps: AgentDeps): Promise<void> {
  const { logger, payload, signal } = deps;
  const clock = systemClock;
  const nodeIPs = config.nodeIPs.length > 0 ? config.nodeIPs : await detectNodeAddresses(systemExec);
  logger.info({ version: deps.version, dataDir: config.paths.dataDir, node: config.nodeName }, 'starting');
  const metrics = createMetrics();
  const requests = new RestClientMetrics(metrics);
  const joining = { clock, requests, logger: logger.child({ component: 'join' }), signal };
  const credentials = await NodeCredentials.open({ config, directory: layout.agentTLSDir, nodeIPs }, joining);
  try {
    const client = createClient(credentials.transport);
    const parts = [
      processFile('pid-file', layout.pidFile, [layout.readyFile]),
      credentials,
      component('kubeconfig', async (stopped, ready) => {
        const write = (): Promise<void> => writeKubeconfig(layout.agentKubeconfig, credentials.kubeconfig);
        await write();
        const stopListening = credentials.onRenewed(() => {
          write().catch((error: unknown) => logger.warn({ err: error }, 'the kubeconfig could not be renewed'));
        });
        ready();
        await aborted(stopped);
        stopListening();
      }),
      component('node-name', async (stopped, ready) => {
        await refuseDuplicateNode(client, { nodeName: config.nodeName, nodeIPs }, { ...joining, signal: stopped });
        ready();
        await aborted(stopped);
      }),
      ...createNode(config, credentials.cluster, {
        access: {
          ...{ kubelet: client, network: client, dns: client, ingress: client },
          serving: credentials,
          answersAgain: () => credentials.transport.breakWatches(),
        },
        payload,
        nodeIPs,
        clock,
        exec: systemExec,
        logger,
        metrics,
      }),
      processFile('ready-file', layout.readyFile, []),
    ];
    await new Group('agent', parts, { logger }).run(signal, () => logger.info({}, 'all parts are running'));
  } catch (error) {
    throw portInUse(error, portFlags(config)) ?? error;
  } finally {
    await credentials.transport.close();
  }
}
