import type { Clock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Client, Informers } from '../client/client.ts';
import type { EventRecorder } from '../client/index.ts';
import type { CRI, ImageMounts } from '../cri/index.ts';
import type { EvictionOptions } from './eviction/eviction-manager.ts';
import type { ImageGCPolicy } from './images/image-gc.ts';
import type { NodeShutdownOptions } from './node/node-shutdown.ts';
import type { Authenticator, Authorizer, ServingCertificateSource } from './server/auth.ts';
import type { ObjectCache } from './sources/object-cache.ts';
import type { ManagersConfiguration } from './topology/configuration.ts';
import type { Pod } from './types.ts';

export interface KubeletOptions {
  readonly nodeName: string;
  /** Addresses of the node, the preferred family first. */
  readonly nodeIPs: readonly string[];
  /** State of this kubelet: pods' directories, checkpoints. */
  readonly rootDir: string;
  /** Where device plugins find `kubelet.sock` and put their own sockets; default: in `rootDir`. */
  readonly devicePluginDir?: string;
  /** On a tmpfs: volumes that must not reach a disk. */
  readonly runDir: string;
  /** Volumes of the class `local-path`, one directory each; absent: the node offers none. */
  readonly localStorageDir?: string;
  /** Container logs: `DIR/NAMESPACE_NAME_UID/CONTAINER/N.log`. */
  readonly podLogsDir: string;
  /** A link to each of these logs, named for log collectors; absent: none. */
  readonly containerLogsDir?: string;
  /** Manifests of static pods; absent: none. */
  readonly manifestDir?: string;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly maxPods: number;
  /** Resource -> quantity that pods never get: system and kubelet reserves together. */
  readonly reserved?: Readonly<Record<string, string>>;
  readonly eviction?: EvictionOptions;
  /** How many images are pulled at a time; absent: as many as are wanted. */
  readonly maxParallelImagePulls?: number;
  readonly imageGC?: ImageGCPolicy;
  /** Cgroup that `kubepods` is made in, `/` or `/some/group`; two kubelets of one machine must not share it. */
  readonly cgroupRoot: string;
  /** False: no cgroups are made above those of the containers (upstream's cgroupsPerQOS). Default true. */
  readonly cgroupsPerQOS?: boolean;
  /** How many processes a pod may have; absent: as many as the node has. */
  readonly podPidsLimit?: number;
  /** What pods have to end in when the kubelet is told to stop; absent: they outlive it. */
  readonly shutdown?: NodeShutdownOptions;
  /** Port of the kubelet server. */
  readonly port: number;
  readonly address?: string;
  /** Set when the node registers. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
  readonly nodeTaints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly resolvConfPath?: string;
  /** The log of the kernel, which tells of processes that the machine had no memory for; absent: nobody is told. */
  readonly kernelLogPath?: string;
  /** Sysctls that pods may set beside the safe ones: names, or prefixes that end in `*`. */
  readonly allowedUnsafeSysctls?: readonly string[];
  /** Who gets CPUs, memory and devices near each other and to himself. */
  readonly managers?: ManagersConfiguration;
  readonly maxLogSizeBytes?: number;
  readonly maxLogFiles?: number;
  /**
   * A node that only pretends: volumes are resolved but neither written nor mounted, pods have no directories and logs, probes
   * succeed and hooks over the network are done without a connection. The runtime must be one in memory.
   */
  readonly hollow?: boolean;
  /** Never report or keep the sandbox image as something to remove. */
  readonly sandboxImage?: string;
  /** Absolute path of the seccomp profile of sandboxes' own process. Default: the runtime's profile for everything. */
  readonly sandboxSeccompProfile?: string;
}

export interface KubeletDeps {
  readonly client: Client;
  /** For the lease and the node's status, where much else may be under way (upstream's heartbeat client). Default: `client`. */
  readonly heartbeats?: Client;
  /** Called when the server answers heartbeats again after it did not. As upstream's kubelet, which then has new connections. */
  readonly serverAnswersAgain?: () => void;
  readonly informers: Informers;
  readonly cri: CRI;
  /** Brings an image that the node has in an archive back into the runtime, by its full name; false: there is none. */
  readonly restoreImage?: (name: string, signal: AbortSignal) => Promise<boolean>;
  /** For a runtime that cannot mount images into containers; absent: it is left to the runtime. */
  readonly imageMounts?: ImageMounts;
  readonly clock: Clock;
  readonly exec: Exec;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Component `kubelet`, host the node's name. */
  readonly recorder: EventRecorder;
  /**
   * Resolves when Services of this node no longer send anything to the pods that are seen to end; only then are their containers
   * told to stop. It must not take long. Absent: no wait.
   */
  readonly trafficStopped?: () => Promise<void>;
  /**
   * Resolves when all rules for the pod's addresses are in force; only then is its first container started. Absent: there are
   * no such rules on this node.
   */
  readonly admitAddresses?: (pod: Pod, addresses: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Absent: this kubelet's own; those of one process with one identity may share it. */
  readonly objects?: ObjectCache;
  /** Absent: this node has no server (a node that only pretends). */
  readonly server?: {
    readonly certificate: ServingCertificateSource;
    readonly authenticate: Authenticator;
    readonly authorize: Authorizer;
    /** The settings of the process by name, as /flagz shows them. */
    readonly flags: Readonly<Record<string, string>>;
  };
}
