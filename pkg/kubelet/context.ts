import type { Service as ApiService } from '../api/generated/types.ts';
import type { Lister } from '../client/client.ts';
import type { DNSConfig, ImageMounts } from '../cri/index.ts';
import type { PodCgroups } from './cgroups/pod-cgroups.ts';
import type { FieldContext } from './container/field-values.ts';
import type { CPUPinning } from './cpus/cpu-pinning.ts';
import type { DeviceManager } from './devices/device-manager.ts';
import type { ClaimManager } from './dra/claim-manager.ts';
import type { NodePressure } from './eviction/node-pressure.ts';
import type { ImageManager } from './images/image-manager.ts';
import type { Machine } from './node/machine.ts';
import type { ShutdownState } from './node/node-shutdown.ts';
import type { KubeletDeps, KubeletOptions } from './options.ts';
import type { NodeFeatures } from './pod/admission.ts';
import type { UserNamespaces } from './pod/user-namespaces.ts';
import type { ProbeCounts } from './probes/probe-counts.ts';
import type { PodRuntimeReader } from './runtime/pod-runtime.ts';
import type { PodObjects } from './sources/object-cache.ts';
import type { KubeletMetrics } from './stats/kubelet-metrics.ts';
import type { Managers } from './topology/managers.ts';
import type { Node, Pod } from './types.ts';
import type { TokenSource } from './volumes/token-source.ts';
import type { VolumeManager } from './volumes/volume-manager.ts';

/** What the parts of one kubelet share: made once in createKubelet. */
export interface KubeletContext {
  readonly options: KubeletOptions;
  readonly deps: KubeletDeps;
  readonly machine: Machine;
  readonly hostDNS: DNSConfig;
  readonly runtimeName: string;
  readonly features: NodeFeatures;
  readonly reader: PodRuntimeReader;
  readonly objects: PodObjects;
  readonly tokens: TokenSource;
  readonly images: ImageManager;
  /** Set when the node mounts the images of volumes, instead of the runtime. */
  readonly imageMounts: ImageMounts | undefined;
  readonly userNamespaces: UserNamespaces;
  readonly probeCounts: ProbeCounts;
  readonly metrics: KubeletMetrics;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly pressure: NodePressure;
  readonly shutdown: ShutdownState;
  readonly devices: DeviceManager;
  readonly claims: ClaimManager;
  readonly managers: Managers;
  /** Undefined: containers run on any CPU. */
  readonly cpuPinning: CPUPinning | undefined;
  readonly services: Lister<ApiService>;
  readonly node: () => Node | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
}

export function fieldContext(context: KubeletContext, podIPs: readonly string[]): FieldContext {
  return { hostIPs: context.options.nodeIPs, podIPs, allocatable: context.allocatable };
}

export function podLogDirectory(options: KubeletOptions, pod: Pod): string {
  const { namespace, name, uid } = pod.metadata;
  return `${options.podLogsDir}/${namespace}_${name}_${uid}`;
}
