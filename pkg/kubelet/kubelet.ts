import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resources } from '../api/generated/resources.ts';
import type { Node as ApiNode, Service as ApiService, OwnerReference } from '../api/generated/types.ts';
import { aborted } from '../base/abort.ts';
import { type Component, component, Group } from '../base/lifecycle.ts';
import type { Informer } from '../client/client.ts';
import { type EventSubject, LeaseHolder } from '../client/index.ts';
import { CheckpointFile } from './checkpoints/checkpoint-file.ts';
import type { KubeletContext } from './context.ts';
import { DeviceManager } from './devices/device-manager.ts';
import type { DevicePlugin } from './devices/device-plugin.ts';
import { DevicePluginHandler } from './devices/device-plugin-handler.ts';
import { PluginRegistration } from './devices/plugin-registration.ts';
import { ClaimManager } from './dra/claim-manager.ts';
import { DraDrivers } from './dra/dra-drivers.ts';
import { PluginRegistry } from './dra/plugin-registry.ts';
import { PreparedClaims } from './dra/prepared-claims.ts';
import { EvictionManager } from './eviction/eviction-manager.ts';
import { DEFAULT_EVICTION } from './eviction/settings.ts';
import { DEFAULT_IMAGE_GC, ImageGC } from './images/image-gc.ts';
import { volumeImageNames } from './images/image-volumes.ts';
import { PulledImages } from './images/pulled-images.ts';
import { LogRotation } from './logs/rotate.ts';
import { ClockWatch } from './node/clock-watch.ts';
import { NodeAgent } from './node/node-agent.ts';
import { NodeShutdown } from './node/node-shutdown.ts';
import { OOMWatcher } from './oom/oom-watcher.ts';
import { openContext } from './open-context.ts';
import type { KubeletDeps, KubeletOptions } from './options.ts';
import { PodManager } from './pod/pod-manager.ts';
import { PodResourcesServer } from './pod-resources/pod-resources-server.ts';
import { measuredCRI } from './runtime/measured-cri.ts';
import { RuntimeWatcher } from './runtime/runtime-watcher.ts';
import { KubeletServer } from './server/server.ts';
import { StaticPods } from './sources/static-pods.ts';
import { KubeletMetrics } from './stats/kubelet-metrics.ts';
import { NO_LAYOUT, readMachineLayout } from './topology/machine-layout.ts';
import type { Pod } from './types.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const LEASE_RENEW_MS = 10_000;
/** Upstream's names; ours have a form of their own. */
const CHECKPOINT = 'kubelet_internal_checkpoint';
const CLAIMS_CHECKPOINT = 'dra_manager_state';
const PULLED_IMAGES = 'image_manager/pulled.json';
const REPORT_TIMEOUT_MS = 5_000;

/** The kubelet of one node, as components in starting order. Ready: registered, and every pod has its worker. */
export function createKubelet(options: KubeletOptions, deps: KubeletDeps): Component[] {
  return [new Kubelet(options, deps)];
}

class Kubelet implements Component {
  readonly name = 'kubelet';
  readonly #options: KubeletOptions;
  readonly #metrics: KubeletMetrics;
  readonly #deps: KubeletDeps;
  readonly #nodes: Informer<ApiNode>;
  readonly #services: Informer<ApiService>;
  readonly #pulled: PulledImages;

  constructor(options: KubeletOptions, deps: KubeletDeps) {
    this.#options = options;
    this.#metrics = new KubeletMetrics(options.nodeName);
    this.#pulled = new PulledImages(options.hollow === true ? undefined : join(options.rootDir, PULLED_IMAGES));
    this.#deps = { ...deps, cri: measuredCRI(deps.cri, this.#metrics, deps.clock) };
    this.#nodes = deps.informers.for(resources.nodes, { fieldSelector: `metadata.name=${options.nodeName}` });
    this.#services = deps.informers.for(resources.services);
  }

  /** What must be read from the machine first is read here; then the parts run as one group. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { nodeName, manifestDir, rootDir, runDir, podLogsDir, containerLogsDir, kernelLogPath } = this.#options;
    const directories = [rootDir, runDir, podLogsDir, ...(containerLogsDir === undefined ? [] : [containerLogsDir])];
    for (const dir of directories) await mkdir(dir, { recursive: true, mode: 0o755 });
    let pods: PodManager | undefined;
    let agent: NodeAgent | undefined;
    const devicePluginDir = this.#options.devicePluginDir ?? join(rootDir, 'device-plugins');
    const layout = this.#options.hollow === true ? NO_LAYOUT : await readMachineLayout('/sys');
    const hasPod = (uid: string): boolean => pods?.isHere(uid) === true;
    const devices = new DeviceManager({
      file: new CheckpointFile(join(devicePluginDir, CHECKPOINT)),
      nodes: layout.nodes.map(({ id }) => id),
      logger: this.#deps.logger,
      hasPod,
      changed: () => {
        agent?.report(signal).catch((error: unknown) => {
          if (!signal.aborted) this.#deps.logger.warn({ err: error }, 'devices could not be told');
        });
      },
    });
    await devices.load();
    const prepared = new PreparedClaims(new CheckpointFile(join(rootDir, CLAIMS_CHECKPOINT)), this.#deps.logger);
    await prepared.load();
    const drivers = new DraDrivers(nodeName, {
      ...this.#deps,
      registered: () => void claims.release(),
    });
    const claims = new ClaimManager({
      ...this.#deps,
      claims: prepared,
      driver: (name) => drivers.get(name),
      hasPod,
    });
    const context = await openContext(
      {
        options: this.#options,
        deps: this.#deps,
        metrics: this.#metrics,
        pulled: this.#pulled,
        services: this.#services.lister,
        node: () => this.#nodes.lister.get(nodeName),
        changed: (uid) => pods?.objectChanged(uid),
        devices,
        claims,
        layout,
        hasPod,
      },
      signal,
    );
    await context.cgroups.prepare();
    if (context.cgroups.groups().length > 0) {
      const message = 'Updated Node Allocatable limit across pods';
      this.#deps.recorder.event(this.#node(), 'Normal', 'NodeAllocatableEnforced', message);
    }
    const manager = new PodManager(context);
    pods = manager;
    const nodeAgent = new NodeAgent(context);
    agent = nodeAgent;
    const images = this.#imageGC(manager);
    const lease = new LeaseHolder(
      {
        namespace: LEASE_NAMESPACE,
        name: nodeName,
        identity: nodeName,
        durationSeconds: LEASE_SECONDS,
        renewIntervalMs: LEASE_RENEW_MS,
        owner: () => ownerOf(nodeAgent),
      },
      {
        ...this.#deps,
        client: this.#deps.heartbeats ?? this.#deps.client,
        answeredAgain: () => this.#deps.serverAnswersAgain?.(),
      },
    );
    const watcher = new RuntimeWatcher({
      deps: this.#deps,
      metrics: this.#metrics,
      nodeName,
      stopped: (id) => manager.containerStopped(id),
      changed: (uid) => manager.wake(uid),
      hasPods: () => manager.size > 0,
    });
    const parts: Component[] = [
      ...(this.#deps.server === undefined ? [] : [new KubeletServer(context, this.#deps.server, manager)]),
      nodeAgent,
      ...(this.#options.hollow === true ? [] : [this.#devicePlugins(devicePluginDir, devices)]),
      // The lease's namespace may be made only later: nothing waits for it.
      component('node-lease', (own, started) => {
        started();
        return lease.run(own, () => {});
      }),
      component('services-synced', async (own, started) => {
        await this.#services.synced(own);
        started();
        await aborted(own);
      }),
      ...(manifestDir === undefined ? [] : [this.#staticPods(manifestDir, manager)]),
      manager,
      ...(this.#options.hollow === true ? [] : [this.#plugins(rootDir, devices, drivers)]),
      watcher,
      ...(this.#options.hollow === true ? [] : [new LogRotation(context, manager)]),
      ...(kernelLogPath === undefined ? [] : [this.#oomWatcher(kernelLogPath)]),
      new ClockWatch({ ...this.#deps, wasSet: () => manager.wakeAll() }),
      images,
      new EvictionManager(this.#options.eviction ?? DEFAULT_EVICTION, { context, pods: manager, images }),
      ...(this.#options.hollow === true ? [] : [this.#podResources(context, manager)]),
      // The last to start is the first to be told to stop: everything that ends pods still runs.
      this.#shutdown(context, manager, nodeAgent),
    ];
    try {
      await new Group(this.name, parts, this.#deps).run(signal, ready);
    } finally {
      context.objects.close();
      devices.close();
      drivers.close();
    }
  }

  /** Pods that are here are known by now: what others used can be given back. */
  #plugins(rootDir: string, devices: DeviceManager, drivers: DraDrivers): Component {
    drivers.start();
    return new PluginRegistry(join(rootDir, 'plugins_registry'), {
      ...this.#deps,
      handlers: { DRAPlugin: drivers, DevicePlugin: new DevicePluginHandler((plugin) => devices.add(plugin)) },
    });
  }

  #devicePlugins(directory: string, devices: DeviceManager): Component {
    const registered = (plugin: DevicePlugin): void => devices.add(plugin);
    return new PluginRegistration(directory, { logger: this.#deps.logger, registered });
  }

  #podResources({ devices, claims, managers, metrics }: KubeletContext, pods: PodManager): Component {
    return new PodResourcesServer(join(this.#options.rootDir, 'pod-resources/kubelet.sock'), {
      ...managers,
      devices,
      claims,
      active: () => pods.activePods(),
      metrics: metrics.managers,
      monotonic: () => this.#deps.clock.monotonic(),
      logger: this.#deps.logger,
    });
  }

  #shutdown(context: KubeletContext, pods: PodManager, agent: NodeAgent): NodeShutdown {
    return new NodeShutdown(this.#options.shutdown ?? { graceMs: 0, criticalGraceMs: 0 }, {
      clock: this.#deps.clock,
      logger: this.#deps.logger,
      state: context.shutdown,
      active: () => pods.activePods(),
      isEnding: (uid) => pods.isHere(uid),
      fail: (uid, failure) => pods.fail(uid, failure),
      report: () => agent.report(AbortSignal.timeout(REPORT_TIMEOUT_MS)),
    });
  }

  #imageGC(pods: PodManager): ImageGC {
    const { sandboxImage, rootDir, imageGC = DEFAULT_IMAGE_GC } = this.#options;
    const options = { ...imageGC, fallbackDir: rootDir, ...(sandboxImage === undefined ? {} : { sandboxImage }) };
    return new ImageGC(options, {
      ...this.#deps,
      removed: (imageID, reason) => {
        this.#metrics.imageCollected(reason);
        return this.#pulled.forget(imageID);
      },
      volumeImages: () => volumeImageNames(pods.activePods()),
      event: (reason, message) => this.#deps.recorder.event(this.#node(), 'Warning', reason, message),
    });
  }

  /** What events about the node are about. */
  #node(): EventSubject {
    const { nodeName } = this.#options;
    return { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  }

  #oomWatcher(path: string): OOMWatcher {
    const report = (message: string): void => this.#deps.recorder.event(this.#node(), 'Warning', 'SystemOOM', message);
    return new OOMWatcher(path, { ...this.#deps, report });
  }

  #staticPods(directory: string, manager: PodManager): Component {
    const deps = { ...this.#deps, changed: (pods: readonly Pod[]) => manager.setStaticPods(pods) };
    return new StaticPods({ directory, nodeName: this.#options.nodeName }, deps);
  }
}

function ownerOf(agent: NodeAgent): OwnerReference | undefined {
  const metadata = agent.node?.metadata;
  return metadata && { apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.uid };
}
