/**
 * The container runtime interface (CRI v1): typed services over gRPC, a runtime in memory, and the supervised containerd.
 * Knows nothing of pods as API objects: that is the kubelet. Upstream: cri-api, cri-client and what an operator does by hand.
 */
export { type CriOptions, connectCRI } from './client.ts';
export { PAUSE_IMAGE } from './containerd/config.ts';
export { containerdEvents } from './containerd/events.ts';
export { hasCapability } from './containerd/host.ts';
export { ImageArchives, type ImageArchivesDeps, type ImageArchivesOptions } from './containerd/image-archives.ts';
export { ContainerdImageMounts, needsImageMounts } from './containerd/image-mounts.ts';
export { stopRecorded } from './containerd/process.ts';
export { RegistriesError, type RegistryAuth, writeRegistries } from './containerd/registries.ts';
export {
  type ContainerdDeps,
  type ContainerdOptions,
  type ContainerdPaths,
  ContainerdSupervisor,
  containerdPaths,
} from './containerd/supervisor.ts';
export { parseFacts } from './descriptor.ts';
export { CriError, criErrorText, GrpcConnection, isCriError } from './grpc.ts';
export { type GrpcHandler, GrpcServer } from './grpc-server.ts';
export {
  type MemoryContainer,
  MemoryRuntime,
  type MemoryRuntimeOptions,
  type SandboxAddresses,
} from './hollow/memory-runtime.ts';
export type * from './runtime.ts';
export type * from './types.ts';
