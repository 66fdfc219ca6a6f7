import { type MethodFacts, parseFacts } from './descriptor.ts';
import { criFacts } from './facts/cri-v1.ts';
import { type CallOptions, GrpcConnection } from './grpc.ts';
import type {
  ContainerListFilter,
  CRI,
  ExecStreamRequest,
  ImageService,
  RuntimeService,
  SandboxListFilter,
} from './runtime.ts';
import type * as cri from './types.ts';

/** Upstream's runtimeRequestTimeout. */
const REQUEST_TIMEOUT_MS = 120_000;
/** The runtime's answer to a stop comes this much after the grace period at the latest. */
const STOP_MARGIN_MS = 120_000;

export interface CriOptions {
  /** `unix:///path`. */
  readonly endpoint: string;
  /** Where containers' events come from when the runtime's CRI has none (see containerd/events.ts). */
  readonly events?: RuntimeService['containerEvents'];
}

/** Connects to a CRI v1 runtime; calls fail with `Unavailable` while nothing listens. */
export function connectCRI(options: CriOptions): CRI {
  const connection = new GrpcConnection(options.endpoint);
  const call = newCaller(connection);
  return {
    runtime: runtimeService(call, connection, options.events),
    images: imageService(call),
    close: () => connection.close(),
  };
}

type Caller = <T>(service: string, method: string, request: object, options?: CallOptions) => Promise<T>;

function newCaller(connection: GrpcConnection): Caller {
  const descriptor = parseFacts('runtime.v1', criFacts);
  const methods = new Map<string, MethodFacts>();
  return async <T>(service: string, name: string, request: object, options?: CallOptions): Promise<T> => {
    let method = methods.get(name);
    if (method === undefined) {
      method = descriptor.method(service, name);
      methods.set(name, method);
    }
    const timeoutMs = options?.timeoutMs ?? REQUEST_TIMEOUT_MS;
    return (await connection.unary(method, request, { ...options, timeoutMs })) as T;
  };
}

function runtimeService(
  caller: Caller,
  connection: GrpcConnection,
  events: RuntimeService['containerEvents'] | undefined,
): RuntimeService {
  const call = <T>(method: string, request: object, options?: CallOptions): Promise<T> =>
    caller<T>('RuntimeService', method, request, options);
  return {
    version: (options) => call('Version', { version: 'v1' }, options),
    async status(options) {
      const answer = await call<{
        status: { conditions: cri.RuntimeCondition[] };
        runtimeHandlers: {
          name: string;
          features: { recursiveReadOnlyMounts: boolean; userNamespaces: boolean } | null;
        }[];
        features: { supplementalGroupsPolicy: boolean } | null;
      }>('Status', {}, options);
      const { status, runtimeHandlers, features } = answer;
      return {
        conditions: status.conditions,
        handlers: runtimeHandlers.map(({ name, features: can }) => ({
          name,
          recursiveReadOnlyMounts: can?.recursiveReadOnlyMounts ?? false,
          userNamespaces: can?.userNamespaces ?? false,
        })),
        features: features === null ? undefined : { supplementalGroupsPolicy: features.supplementalGroupsPolicy },
      };
    },
    async runPodSandbox(config, runtimeHandler, options) {
      const request = { config, runtimeHandler };
      const long = { timeoutMs: 2 * REQUEST_TIMEOUT_MS, ...options };
      return (await call<{ podSandboxId: string }>('RunPodSandbox', request, long)).podSandboxId;
    },
    async stopPodSandbox(podSandboxId, options) {
      await call('StopPodSandbox', { podSandboxId }, options);
    },
    async removePodSandbox(podSandboxId, options) {
      await call('RemovePodSandbox', { podSandboxId }, options);
    },
    async podSandboxStatus(podSandboxId, options) {
      return (await call<{ status: cri.PodSandboxStatus }>('PodSandboxStatus', { podSandboxId }, options)).status;
    },
    async listPodSandbox(filter: SandboxListFilter = {}, options) {
      return (await call<{ items: cri.PodSandbox[] }>('ListPodSandbox', { filter }, options)).items;
    },
    async createContainer(podSandboxId, config, sandboxConfig, options) {
      const request = { podSandboxId, config, sandboxConfig };
      return (await call<{ containerId: string }>('CreateContainer', request, options)).containerId;
    },
    async startContainer(containerId, options) {
      await call('StartContainer', { containerId }, options);
    },
    async stopContainer(containerId, timeoutSeconds, options) {
      const timeoutMs = timeoutSeconds * 1000 + STOP_MARGIN_MS;
      await call('StopContainer', { containerId, timeout: timeoutSeconds }, { timeoutMs, ...options });
    },
    async removeContainer(containerId, options) {
      await call('RemoveContainer', { containerId }, options);
    },
    async listContainers(filter: ContainerListFilter = {}, options) {
      return (await call<{ containers: cri.Container[] }>('ListContainers', { filter }, options)).containers;
    },
    async containerStatus(containerId, options) {
      return (await call<{ status: cri.ContainerStatus }>('ContainerStatus', { containerId }, options)).status;
    },
    async updateContainerResources(containerId, linux, options) {
      await call('UpdateContainerResources', { containerId, linux }, options);
    },
    async reopenContainerLog(containerId, options) {
      await call('ReopenContainerLog', { containerId }, options);
    },
    execSync(containerId, cmd, timeoutSeconds, options) {
      const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 + STOP_MARGIN_MS : 24 * 3_600_000;
      return call('ExecSync', { containerId, cmd, timeout: timeoutSeconds }, { timeoutMs, ...options });
    },
    async exec(request: ExecStreamRequest, options) {
      return (await call<{ url: string }>('Exec', request, options)).url;
    },
    async attach(request, options) {
      return (await call<{ url: string }>('Attach', request, options)).url;
    },
    async portForward(podSandboxId, port, options) {
      return (await call<{ url: string }>('PortForward', { podSandboxId, port }, options)).url;
    },
    async checkpointContainer(containerId, location, timeoutSeconds, options) {
      const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 + STOP_MARGIN_MS : REQUEST_TIMEOUT_MS;
      await call('CheckpointContainer', { containerId, location, timeout: timeoutSeconds }, { timeoutMs, ...options });
    },
    async listContainerStats(filter: ContainerListFilter = {}, options) {
      return (await call<{ stats: cri.ContainerStats[] }>('ListContainerStats', { filter }, options)).stats;
    },
    containerEvents: events ?? ((signal, connected) => criEvents(connection, signal, connected)),
    async updatePodCIDR(podCidr, options) {
      await call('UpdateRuntimeConfig', { runtimeConfig: { networkConfig: { podCidr } } }, options);
    },
  };
}

function imageService(caller: Caller): ImageService {
  const call = <T>(method: string, request: object, options?: CallOptions): Promise<T> =>
    caller<T>('ImageService', method, request, options);
  return {
    async listImages(options) {
      return (await call<{ images: cri.Image[] }>('ListImages', {}, options)).images;
    },
    async imageStatus(image, options) {
      const answer = await call<{ image: cri.Image | null }>('ImageStatus', { image: { image } }, options);
      return answer.image ?? undefined;
    },
    async pullImage(image, auth, sandboxConfig, options) {
      const request = { image: { image }, auth, sandboxConfig };
      const noLimit = { timeoutMs: 24 * 3_600_000, ...options };
      return (await call<{ imageRef: string }>('PullImage', request, noLimit)).imageRef;
    },
    async removeImage(image, options) {
      await call('RemoveImage', { image: { image } }, options);
    },
    async imageFsInfo(options) {
      return (await call<{ imageFilesystems: cri.FilesystemUsage[] }>('ImageFsInfo', {}, options)).imageFilesystems;
    },
  };
}

const EVENT_TYPES: Readonly<Record<string, cri.ContainerEvent['type']>> = {
  CONTAINER_CREATED_EVENT: 'created',
  CONTAINER_STARTED_EVENT: 'started',
  CONTAINER_STOPPED_EVENT: 'stopped',
  CONTAINER_DELETED_EVENT: 'deleted',
};

async function* criEvents(
  connection: GrpcConnection,
  signal: AbortSignal,
  connected: (() => void) | undefined,
): AsyncIterable<cri.ContainerEvent> {
  const method = parseFacts('runtime.v1', criFacts).method('RuntimeService', 'GetContainerEvents');
  let first = true;
  for await (const message of connection.stream(method, {}, signal)) {
    if (first) connected?.();
    first = false;
    const event = message as { containerId: string; containerEventType: string };
    const type = EVENT_TYPES[event.containerEventType];
    if (type !== undefined) yield { containerId: event.containerId, type };
  }
}
