import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import { followCommand } from '../base/follow-command.ts';
import { type Component, component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { shareCommands } from '../base/share-commands.ts';
import { type Client, createEventRecorder, createInformers } from '../client/index.ts';
import { type ClusterConfig, type NodeConfig, refuseOwnAddresses } from '../config/index.ts';
import {
  ContainerdImageMounts,
  ContainerdSupervisor,
  connectCRI,
  containerdEvents,
  ImageArchives,
  PAUSE_IMAGE,
} from '../cri/index.ts';
import { createDNS } from '../dns/index.ts';
import { createIngress } from '../ingress/index.ts';
import {
  createKubelet,
  delegatedAuthenticator,
  delegatedAuthorizer,
  type ServingCertificateSource,
} from '../kubelet/index.ts';
import { createNetwork } from '../network/index.ts';
import { ensureLocalLeaf } from '../pki/index.ts';
import { createProxy, type ServiceProxy } from '../proxy/index.ts';
import { kubeletLinks, STANDARD_KUBELET_DIR } from './kubelet-links.ts';
import { kubeletManagers } from './kubelet-managers.ts';
import { kubeletReserves } from './kubelet-reserves.ts';
import { layoutOf } from './layout.ts';
import { ensureTmpfs, writeRegistryConfig } from './node-files.ts';
import { type Payload, pruneOldPayloads } from './payload.ts';
import { listProcesses } from './processes.ts';

/** How the parts of a node reach the API server, and what its kubelet shows to others. */
export interface NodeAccess {
  readonly kubelet: Client;
  /** For the service proxy and the pod network. */
  readonly network: Client;
  readonly dns: Client;
  readonly ingress: Client;
  /** Absent: the kubelet serves nothing. */
  readonly serving?: ServingCertificateSource;
  /** Called when the server answers heartbeats again after it did not. */
  readonly answersAgain?: () => void;
}

export interface NodeDeps {
  readonly access: NodeAccess;
  readonly payload: Payload;
  readonly nodeIPs: readonly string[];
  readonly clock: Clock;
  readonly exec: Exec;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * What makes this machine a node: containerd, pod network, service proxy, DNS, kubelet. In the order of their start. Throws
 * ConfigError when the machine is in the way of the cluster's networks.
 */
export function createNode(config: NodeConfig, cluster: ClusterConfig, deps: NodeDeps): Component[] {
  if (config.disabled.has('kubelet')) return [];
  refuseOwnAddresses(cluster, deps.nodeIPs);
  const { parts: network, proxy } = networkParts(config, cluster, deps);
  const cleanUp = component('payload-clean-up', async (signal, ready) => {
    ready();
    await pruneOldPayloads(deps.payload, await listProcesses());
    await aborted(signal);
  });
  const runtime = runtimeParts(config, deps);
  return [
    ...runtime.parts,
    ...network,
    ...kubeletParts(config, cluster, deps, { proxy, archives: runtime.archives }),
    ...ingressParts(config, deps),
    cleanUp,
  ];
}

/** How long the end of a pod waits for the proxy at the most. */
const SETTLE_LIMIT_MS = 500;

/** The proxy has its own informers: what the kubelet sees now, it sees in this turn of the event loop. */
async function settled(proxy: ServiceProxy, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  const limit = new AbortController();
  await Promise.race([proxy.settled(), clock.sleep(SETTLE_LIMIT_MS, limit.signal)]);
  limit.abort();
}

/** The container runtime with the images that are always there; nothing when the user brings another runtime. */
function runtimeParts(config: NodeConfig, deps: NodeDeps): { parts: Component[]; archives: ImageArchives | undefined } {
  if (config.containerRuntimeEndpoint !== undefined) return { parts: [], archives: undefined };
  const { payload, clock, exec } = deps;
  const layout = layoutOf(config.paths);
  const logger = deps.logger.child({ component: 'containerd' });
  let registryAuths: Awaited<ReturnType<typeof writeRegistryConfig>> = new Map();
  const containerd = new ContainerdSupervisor(
    {
      binDir: payload.binDir,
      libDir: payload.libDir,
      rootDir: layout.containerdRootDir,
      stateDir: layout.containerdStateDir,
      logPath: layout.containerdLog,
      cniBinDir: payload.cniBinDir,
      cniConfDir: layout.cniConfigDir,
      registryConfigDir: layout.registryConfigDir,
      registryAuths: () => registryAuths,
    },
    { clock, exec, logger },
  );
  const images = new ImageArchives(
    {
      socketPath: containerd.paths.socketPath,
      ctrPath: join(payload.binDir, 'ctr'),
      directories: [payload.imageDir, layout.imageDir],
      recordPath: join(layout.agentDir, 'imported-images.json'),
      snapshotter: () => containerd.snapshotter,
    },
    { exec, clock, logger, images: connectCRI({ endpoint: containerd.paths.socketPath }).images },
  );
  const prepare = component('node-files', async (signal, ready) => {
    registryAuths = await writeRegistryConfig(config.registryConfig, layout.registryConfigDir);
    await ensureTmpfs(join(config.paths.runDir, 'kubelet'), exec);
    ready();
    await aborted(signal);
  });
  return { parts: [prepare, containerd, images], archives: images };
}

/** Service proxy, pod network and DNS; the proxy may be somebody else's. */
function networkParts(
  config: NodeConfig,
  cluster: ClusterConfig,
  deps: NodeDeps,
): { parts: Component[]; proxy: ServiceProxy | undefined } {
  const { clock, exec, metrics, nodeIPs } = deps;
  const layout = layoutOf(config.paths);
  const logger = deps.logger.child({ component: 'network' });
  const informers = createInformers(deps.access.network, { clock, logger });
  const localAddresses = config.disabled.has('dns') ? [] : cluster.clusterDNS;
  const { nodeName } = config;
  const { clusterCIDRs, serviceCIDRs, networkBackend } = cluster;
  const dnsInformers = createInformers(deps.access.dns, { clock, logger });
  const follow = shareCommands(followCommand);
  const proxy = config.disabled.has('proxy')
    ? undefined
    : createProxy(
        { nodeName, table: config.paths.nftTable, clusterCIDRs, serviceCIDRs, localAddresses },
        { informers, exec, follow, clock, logger: deps.logger.child({ component: 'proxy' }), metrics },
      );
  const parts = [
    informers,
    // The proxy's table guards 127.0.0.0/8 from outside; the network opens it for node ports.
    ...(proxy === undefined ? [] : [proxy]),
    createNetwork(
      {
        nodeName,
        backend: networkBackend,
        tunnelDevice: config.paths.tunnelDevice,
        cniConfigDir: layout.cniConfigDir,
        cniStateDir: layout.cniStateDir,
        clusterCIDRs,
        serviceCIDRs,
        nodeAddresses: nodeIPs,
        localAddresses,
        stateFile: layout.networkStateFile,
        localhostNodePorts: proxy !== undefined,
        ...(proxy === undefined ? {} : { trackingProcessors: availableParallelism() }),
      },
      { informers, exec, follow, clock, logger },
    ),
    ...(config.disabled.has('dns')
      ? []
      : [
          dnsInformers,
          createDNS(
            {
              addresses: localAddresses,
              clusterDomain: cluster.clusterDomain,
              clusterNetworks: [...clusterCIDRs, ...serviceCIDRs],
            },
            { informers: dnsInformers, clock, logger: deps.logger.child({ component: 'dns' }), metrics },
          ),
        ]),
  ];
  return { parts, proxy };
}

/** Last, for nothing on the node needs it. */
function ingressParts(config: NodeConfig, deps: NodeDeps): Component[] {
  if (config.disabled.has('ingress')) return [];
  const { clock, metrics } = deps;
  const logger = deps.logger.child({ component: 'ingress' });
  const informers = createInformers(deps.access.ingress, { clock, logger });
  const { http, https, accessLogPath } = config.ingress;
  const profile = {
    name: 'default',
    commonName: 'kube-lite ingress default certificate',
    organizations: [],
    usage: 'server',
    alternativeNames: ['ingress.local'],
  } as const;
  const { ingressTLSDir } = layoutOf(config.paths);
  return [
    informers,
    createIngress(
      { http, https, ...(accessLogPath === undefined ? {} : { accessLogPath }) },
      { informers, clock, logger, metrics, defaultCertificate: () => ensureLocalLeaf(ingressTLSDir, profile, clock) },
    ),
  ];
}

function kubeletParts(
  config: NodeConfig,
  cluster: ClusterConfig,
  deps: NodeDeps,
  { proxy, archives }: { readonly proxy: ServiceProxy | undefined; readonly archives: ImageArchives | undefined },
): Component[] {
  const { access, clock, exec, metrics } = deps;
  const { paths, nodeName } = config;
  const nodeIPs = ofFamilies(deps.nodeIPs, [...cluster.clusterCIDRs, ...cluster.serviceCIDRs]);
  const layout = layoutOf(paths);
  const logger = deps.logger.child({ component: 'kubelet' });
  const client = access.kubelet;
  const informers = createInformers(client, { clock, logger });
  const own = config.containerRuntimeEndpoint === undefined;
  const endpoint = config.containerRuntimeEndpoint ?? layout.containerdSocket;
  const cri = connectCRI({
    endpoint,
    ...(own ? { events: (signal: AbortSignal) => containerdEvents(layout.containerdSocket, signal) } : {}),
  });
  const kubelet = createKubelet(
    {
      nodeName,
      nodeIPs,
      rootDir: layout.kubeletDir,
      runDir: join(paths.runDir, 'kubelet'),
      localStorageDir: layout.storageDir,
      podLogsDir: paths.podLogDir,
      containerLogsDir: paths.containerLogDir,
      manifestDir: config.podManifestDir,
      clusterDNS: cluster.clusterDNS,
      clusterDomain: cluster.clusterDomain,
      maxPods: config.maxPods,
      ...(config.podPidsLimit === undefined ? {} : { podPidsLimit: config.podPidsLimit }),
      shutdown: config.shutdown,
      allowedUnsafeSysctls: config.allowedUnsafeSysctls,
      ...kubeletReserves(config.reserves),
      managers: kubeletManagers(config.managers),
      cgroupRoot: paths.cgroupRoot,
      port: config.kubeletPort,
      kernelLogPath: '/dev/kmsg',
      nodeLabels: config.nodeLabels,
      nodeTaints: config.nodeTaints,
      sandboxImage: PAUSE_IMAGE,
      ...(own ? { sandboxSeccompProfile: deps.payload.pauseProfilePath } : {}),
    },
    {
      client,
      informers,
      cri,
      imageMounts: new ContainerdImageMounts(endpoint, exec),
      ...(archives === undefined
        ? {}
        : { restoreImage: (name: string, signal: AbortSignal) => archives.restore(name, signal) }),
      clock,
      exec,
      logger,
      metrics,
      serverAnswersAgain: () => access.answersAgain?.(),
      ...(proxy === undefined
        ? {}
        : {
            trafficStopped: () => settled(proxy, clock),
            admitAddresses: (pod, addresses, signal) => proxy.admit(pod, addresses, signal),
          }),
      recorder: createEventRecorder({ component: 'kubelet', host: nodeName }, { client, clock, logger }),
      ...(access.serving === undefined
        ? {}
        : {
            server: {
              certificate: access.serving,
              authenticate: delegatedAuthenticator(client, clock),
              authorize: delegatedAuthorizer(client, clock, nodeName),
              flags: config.flags,
            },
          }),
    },
  );
  const links = config.kubeletLinks ? [kubeletLinks(layout.kubeletDir, STANDARD_KUBELET_DIR, logger)] : [];
  return [informers, ...links, ...kubelet];
}

/** The addresses of families that the cluster has: others are of no use to it. */
function ofFamilies(addresses: readonly string[], cidrs: readonly string[]): readonly string[] {
  const isIPv6 = (text: string): boolean => text.includes(':');
  const fitting = addresses.filter((address) => cidrs.some((cidr) => isIPv6(cidr) === isIPv6(address)));
  return fitting.length === 0 ? addresses : fitting;
}
