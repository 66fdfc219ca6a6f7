import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { needsImageMounts, type RuntimeStatus, type RuntimeVersion } from '../cri/index.ts';
import { PodCgroups } from './cgroups/pod-cgroups.ts';
import type { KubeletContext } from './context.ts';
import { CPUPinning } from './cpus/cpu-pinning.ts';
import { formatCPUSet } from './cpus/cpu-set.ts';
import { NodePressure } from './eviction/node-pressure.ts';
import { DEFAULT_EVICTION } from './eviction/settings.ts';
import { nodeCredentials } from './images/credential-files.ts';
import { ImageManager } from './images/image-manager.ts';
import type { PulledImages } from './images/pulled-images.ts';
import { type Machine, readMachine } from './node/machine.ts';
import { ShutdownState } from './node/node-shutdown.ts';
import { type KeptFromPods, keptFromPods, nodeAllocatable } from './node/node-status.ts';
import type { KubeletDeps } from './options.ts';
import type { NodeFeatures } from './pod/admission.ts';
import { parseResolvConf } from './pod/dns.ts';
import { resolvConfPath } from './pod/resolv-conf.ts';
import { UserNamespaces } from './pod/user-namespaces.ts';
import { ProbeCounts } from './probes/probe-counts.ts';
import { PodRuntimeReader } from './runtime/pod-runtime.ts';
import { ObjectCache } from './sources/object-cache.ts';
import { type ManagerSettings, managerSettings } from './topology/configuration.ts';
import type { MachineLayout } from './topology/machine-layout.ts';
import { openManagers } from './topology/managers.ts';
import { ServiceAccountTokens } from './volumes/token-source.ts';
import { VolumeManager } from './volumes/volume-manager.ts';

const RUNTIME_RETRY_MS = 1_000;
const APPARMOR_ENABLED = '/sys/module/apparmor/parameters/enabled';

/** What there is of a kubelet before its context. */
export interface ContextParts
  extends Pick<KubeletContext, 'options' | 'deps' | 'metrics' | 'devices' | 'claims' | 'services' | 'node'> {
  readonly layout: MachineLayout;
  readonly pulled: PulledImages;
  /** An object that the pod uses changed. */
  readonly changed: (podUID: string) => void;
  readonly hasPod: (uid: string) => boolean;
}

/**
 * Reads what must be known of the machine and the runtime, waiting for the latter, and makes what the parts of a kubelet share.
 * Throws an Error when the machine, the settings and what was decided before do not go together.
 */
export async function openContext(parts: ContextParts, signal: AbortSignal): Promise<KubeletContext> {
  const { deps, metrics, claims, devices, services, node } = parts;
  const options = { ...parts.options, resolvConfPath: parts.options.resolvConfPath ?? (await resolvConfPath()) };
  const machine = await readMachine(options.rootDir);
  const settings = managerSettings(options.managers ?? {});
  const reserved = withReservedCPUs(options.reserved, settings);
  const kept = keptFromPods(machine, reserved, (options.eviction ?? DEFAULT_EVICTION).thresholds);
  const pinned = await openPinning(parts, settings, kept);
  const version = await runtimeVersion(deps, signal);
  const imageMounts = needsImageMounts(version) ? deps.imageMounts : undefined;
  const status = await deps.cri.runtime.status({ signal });
  const podsDir = join(options.rootDir, 'pods');
  const handlers = new Set(status.handlers.flatMap(({ name, userNamespaces: can }) => (can ? [name] : [])));
  const userNamespaces = new UserNamespaces({ podsDir, handlers, maxPods: options.maxPods });
  await userNamespaces.load();
  await parts.pulled.load();
  const volumeOptions = {
    podsDir,
    memoryPodsDir: join(options.runDir, 'pods'),
    hollow: options.hollow === true,
    ...(imageMounts === undefined ? {} : { imageMounts }),
  };
  return {
    ...{ options, deps, metrics, claims, devices, services, node, machine, imageMounts, userNamespaces, ...pinned },
    allocatable: nodeAllocatable(machine, options.maxPods, kept),
    hostDNS: parseResolvConf(await readFile(options.resolvConfPath, 'utf8').catch(() => '')),
    runtimeName: version.runtimeName,
    features: await nodeFeatures(status),
    reader: new PodRuntimeReader(deps.cri),
    objects: (deps.objects ?? new ObjectCache(deps)).forKubelet(parts.changed),
    tokens: new ServiceAccountTokens(deps.client, deps.clock),
    images: imageManager(parts),
    probeCounts: new ProbeCounts(),
    volumes: new VolumeManager(volumeOptions, { clock: deps.clock, metrics: metrics.volumes }),
    // What eviction keeps free is free only if pods could also have it.
    cgroups: podCgroups(parts, machine, keptFromPods(machine, reserved, []), pinned.managers.cpus !== undefined),
    pressure: new NodePressure(),
    shutdown: new ShutdownState(),
  };
}

function withReservedCPUs(
  reserved: Readonly<Record<string, string>> = {},
  { reservedCPUs }: ManagerSettings,
): Record<string, string> {
  return { ...reserved, ...(reservedCPUs.size === 0 ? {} : { cpu: String(reservedCPUs.size) }) };
}

async function nodeFeatures({ features, handlers }: RuntimeStatus): Promise<NodeFeatures> {
  return {
    appArmor: (await readFile(APPARMOR_ENABLED, 'utf8').catch(() => 'N')).startsWith('Y'),
    supplementalGroupsPolicy: features?.supplementalGroupsPolicy ?? false,
    recursiveReadOnlyMounts: handlers.some((one) => one.name === '' && one.recursiveReadOnlyMounts),
  };
}

function imageManager({ options, deps, pulled }: ContextParts): ImageManager {
  const { hollow, rootDir, maxParallelImagePulls } = options;
  return new ImageManager({
    images: deps.cri.images,
    clock: deps.clock,
    logger: deps.logger,
    pulled,
    ...(hollow === true ? {} : { nodeCredentials: (image) => nodeCredentials(image, { rootDir, homeDir: homedir() }) }),
    ...(deps.restoreImage === undefined ? {} : { restore: deps.restoreImage }),
    ...(maxParallelImagePulls === undefined ? {} : { maxParallelPulls: maxParallelImagePulls }),
  });
}

function podCgroups(
  { options, deps }: ContextParts,
  machine: Machine,
  kept: KeptFromPods,
  exclusiveCPUs: boolean,
): PodCgroups {
  const { cgroupsPerQOS, cgroupRoot, podPidsLimit } = options;
  const cgroupOptions = {
    version: machine.cgroupVersion,
    enabled: cgroupsPerQOS !== false,
    root: cgroupRoot,
    ...(podPidsLimit === undefined ? {} : { podPidsLimit }),
    mount: '/sys/fs/cgroup',
    exclusiveCPUs,
    hugepages: new Map([...machine.hugepages].filter(([size]) => machine.limitedPageSizes.includes(size))),
    allocatable: {
      milliCPU: Math.max(0, machine.cpus * 1000 - kept.milliCPU),
      memoryBytes: Math.max(0, machine.memoryBytes - kept.memoryBytes),
    },
  };
  return new PodCgroups(cgroupOptions, deps.clock);
}

async function openPinning(
  { options, deps, metrics, devices, layout, hasPod }: ContextParts,
  settings: ManagerSettings,
  kept: KeptFromPods,
): Promise<Pick<KubeletContext, 'managers' | 'cpuPinning'>> {
  const { cri, clock, logger } = deps;
  let cpuPinning: CPUPinning | undefined;
  const managers = await openManagers({
    settings,
    layout,
    stateDir: options.hollow === true ? undefined : options.rootDir,
    kept,
    devices,
    hasPod,
    sharedCPUsChanged: () => cpuPinning?.checkAll(),
    metrics: metrics.managers,
    monotonic: () => clock.monotonic(),
    logger,
  });
  const { cpus } = managers;
  if (cpus !== undefined) {
    cpuPinning = new CPUPinning({ cri, logger, cpusOf: (uid, name) => formatCPUSet(cpus.cpusOf(uid, name)) });
  }
  return { managers, cpuPinning };
}

/** Waits for the runtime: another one than our own may come up after us. */
async function runtimeVersion({ cri, clock, logger }: KubeletDeps, signal: AbortSignal): Promise<RuntimeVersion> {
  for (;;) {
    try {
      return await cri.runtime.version({ signal, timeoutMs: 5_000 });
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ err: error }, 'container runtime does not answer; waiting for it');
      await clock.sleep(RUNTIME_RETRY_MS, signal);
    }
  }
}
