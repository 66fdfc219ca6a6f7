import type { CallOptions } from './grpc.ts';
import type {
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerStats,
  ContainerStatus,
  ExecSyncResult,
  FilesystemUsage,
  Image,
  Labels,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeStatus,
  RuntimeVersion,
} from './types.ts';

export interface ContainerListFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly labelSelector?: Labels;
}

export interface SandboxListFilter {
  readonly id?: string;
  readonly labelSelector?: Labels;
}

export interface ExecStreamRequest {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The runtime half of CRI v1. All methods throw CriError for what the runtime refuses. */
export interface RuntimeService {
  version(options?: CallOptions): Promise<RuntimeVersion>;
  status(options?: CallOptions): Promise<RuntimeStatus>;
  runPodSandbox(config: PodSandboxConfig, runtimeHandler: string, options?: CallOptions): Promise<string>;
  stopPodSandbox(id: string, options?: CallOptions): Promise<void>;
  removePodSandbox(id: string, options?: CallOptions): Promise<void>;
  podSandboxStatus(id: string, options?: CallOptions): Promise<PodSandboxStatus>;
  listPodSandbox(filter?: SandboxListFilter, options?: CallOptions): Promise<readonly PodSandbox[]>;
  createContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
    options?: CallOptions,
  ): Promise<string>;
  startContainer(id: string, options?: CallOptions): Promise<void>;
  /** SIGTERM, then SIGKILL after `timeoutSeconds`; returns when the container has stopped. */
  stopContainer(id: string, timeoutSeconds: number, options?: CallOptions): Promise<void>;
  removeContainer(id: string, options?: CallOptions): Promise<void>;
  listContainers(filter?: ContainerListFilter, options?: CallOptions): Promise<readonly Container[]>;
  containerStatus(id: string, options?: CallOptions): Promise<ContainerStatus>;
  updateContainerResources(id: string, linux: LinuxContainerResources, options?: CallOptions): Promise<void>;
  reopenContainerLog(id: string, options?: CallOptions): Promise<void>;
  /** `timeoutSeconds` 0: no limit. A command that takes longer fails with code DeadlineExceeded. */
  execSync(id: string, cmd: readonly string[], timeoutSeconds: number, options?: CallOptions): Promise<ExecSyncResult>;
  /** URLs of the runtime's streaming server. */
  exec(request: ExecStreamRequest, options?: CallOptions): Promise<string>;
  attach(request: Omit<ExecStreamRequest, 'cmd'>, options?: CallOptions): Promise<string>;
  portForward(podSandboxId: string, ports: readonly number[], options?: CallOptions): Promise<string>;
  /** Writes the state of a running container into an archive. `timeoutSeconds` 0: as long as the runtime lets it take. */
  checkpointContainer(id: string, location: string, timeoutSeconds: number, options?: CallOptions): Promise<void>;
  listContainerStats(filter?: ContainerListFilter, options?: CallOptions): Promise<readonly ContainerStats[]>;
  /** Throws CriError `Unimplemented` when the runtime has no events. `connected` is called when the stream is up. */
  containerEvents(signal: AbortSignal, connected?: () => void): AsyncIterable<ContainerEvent>;
  updatePodCIDR(podCIDR: string, options?: CallOptions): Promise<void>;
}

/** The image half of CRI v1. */
export interface ImageService {
  listImages(options?: CallOptions): Promise<readonly Image[]>;
  /** Undefined when the image is not there. */
  imageStatus(image: string, options?: CallOptions): Promise<Image | undefined>;
  /** Returns the image's reference (its id). */
  pullImage(
    image: string,
    auth: AuthConfig | undefined,
    sandbox: PodSandboxConfig | undefined,
    options?: CallOptions,
  ): Promise<string>;
  removeImage(image: string, options?: CallOptions): Promise<void>;
  imageFsInfo(options?: CallOptions): Promise<readonly FilesystemUsage[]>;
}

/** Mounts images on directories of the node, for runtimes whose CRI cannot mount them into containers. */
export interface ImageMounts {
  /** Mounts the content of an image that is there on `target`, read-only. `key` names the mount for `release`. */
  mount(image: string, key: string, target: string, signal: AbortSignal): Promise<void>;
  /** What keeps the image's layers for a mount that has been taken away, or never was. */
  release(key: string): Promise<void>;
  close(): void;
}

/** A container runtime. */
export interface CRI {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  close(): void;
}
