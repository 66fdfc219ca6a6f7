import type { Clock } from '../../base/clock.ts';
import { AsyncQueue } from '../../base/queue.ts';
import { CriError } from '../grpc.ts';
import type { ContainerListFilter, CRI, ImageService, RuntimeService, SandboxListFilter } from '../runtime.ts';
import type * as cri from '../types.ts';

export interface MemoryContainer extends cri.ContainerStatus {
  readonly podSandboxId: string;
}

/** Gives sandboxes their addresses, the preferred family first. */
export interface SandboxAddresses {
  /** Throws when there is none left. */
  take(): readonly string[];
  release(addresses: readonly string[]): void;
}

export interface MemoryRuntimeOptions {
  /** What the runtime calls itself in `version`. */
  readonly name: string;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly addresses: SandboxAddresses;
  /** The NetworkReady condition. */
  readonly networkReady: () => boolean;
  /** How long containers of this sandbox run before they end with exit code 0; undefined: until they are stopped. */
  readonly runTimeMs?: (sandbox: Pick<cri.PodSandboxStatus, 'annotations'>) => number | undefined;
}

const NANOS_PER_MS = 1e6;

/**
 * A container runtime in memory: sandboxes and containers with their states, no processes, no files, no streams. Every image can
 * be pulled. Containers run until they are stopped, `exit` ends them, or their run time is over. For nodes that only pretend.
 */
export class MemoryRuntime implements CRI {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  readonly sandboxes = new Map<string, cri.PodSandboxStatus>();
  readonly containers = new Map<string, MemoryContainer>();
  /** Names of the images that are there. */
  readonly present = new Set<string>();
  readonly #options: MemoryRuntimeOptions;
  readonly #listeners = new Set<AsyncQueue<cri.ContainerEvent>>();
  #nextID = 0;

  constructor(options: MemoryRuntimeOptions) {
    this.#options = options;
    this.runtime = this.#runtimeService();
    this.images = this.#imageService();
  }

  close(): void {}

  /** The process of a container ends. */
  exit(id: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    this.#change(id, { state: 'CONTAINER_EXITED', exitCode, reason, finishedAt: this.#nanos() });
    for (const queue of this.#listeners) queue.push({ containerId: id, type: 'stopped' });
  }

  #nanos(): number {
    return this.#options.clock.now() * NANOS_PER_MS;
  }

  /** Told of every call that changes something, before it does; may throw what the call is to fail with. */
  protected called(_method: string): void {}

  /** Told of a container's configuration, which is not kept. */
  protected created(_containerID: string, _config: cri.ContainerConfig): void {}

  /** Told of a container that has begun to run, before its starter is. */
  protected begun(_containerID: string): void {}

  /** Answers execSync; exit code 0 by default. */
  protected answer(_containerID: string, _cmd: readonly string[]): Partial<cri.ExecSyncResult> {
    return {};
  }

  #newID(): string {
    this.#nextID++;
    return this.#nextID.toString(16).padStart(64, '0');
  }

  #container(id: string): MemoryContainer {
    const container = this.containers.get(id);
    if (container === undefined) throw new CriError('NotFound', `container ${id} not found`);
    return container;
  }

  #change(id: string, change: Partial<MemoryContainer>): void {
    this.containers.set(id, { ...this.#container(id), ...change });
  }

  /** Sandboxes in the network of their host have no address. */
  #networkOf(config: cri.PodSandboxConfig): cri.PodSandboxStatus['network'] {
    if (config.linux?.securityContext?.namespaceOptions?.network === 'NODE') return { ip: '', additionalIps: [] };
    const [ip = '', ...others] = this.#options.addresses.take();
    return { ip, additionalIps: others.map((other) => ({ ip: other })) };
  }

  #release({ network }: cri.PodSandboxStatus): void {
    if (!network?.ip) return;
    this.#options.addresses.release([network.ip, ...network.additionalIps.map(({ ip }) => ip)]);
  }

  #endLater(id: string): void {
    const sandbox = this.sandboxes.get(this.#container(id).podSandboxId);
    const afterMs = sandbox && this.#options.runTimeMs?.(sandbox);
    if (afterMs === undefined) return;
    this.#options.clock.after(afterMs, () => {
      if (this.containers.get(id)?.state === 'CONTAINER_RUNNING') this.exit(id, 0);
    });
  }

  #runtimeService(): RuntimeService {
    const refuse = async (): Promise<never> => {
      throw new CriError('Unimplemented', 'containers in memory have no streams');
    };
    return {
      version: async () => ({
        version: 'v1',
        runtimeName: this.#options.name,
        runtimeVersion: '1.0',
        runtimeApiVersion: 'v1',
      }),
      status: async () => ({
        handlers: [],
        features: undefined,
        conditions: [
          { type: 'RuntimeReady', status: true, reason: '', message: '' },
          this.#options.networkReady()
            ? { type: 'NetworkReady', status: true, reason: '', message: '' }
            : { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'no pod network yet' },
        ],
      }),
      runPodSandbox: async (config) => {
        this.called('runPodSandbox');
        const id = this.#newID();
        const network = this.#networkOf(config);
        const { metadata, labels, annotations } = config;
        const base = { id, metadata, labels, annotations, network };
        this.sandboxes.set(id, { ...base, state: 'SANDBOX_READY', createdAt: this.#nanos() });
        return id;
      },
      stopPodSandbox: async (id) => {
        this.called('stopPodSandbox');
        const sandbox = this.sandboxes.get(id);
        if (sandbox?.state !== 'SANDBOX_READY') return;
        this.#release(sandbox);
        this.sandboxes.set(id, { ...sandbox, state: 'SANDBOX_NOTREADY' });
      },
      removePodSandbox: async (id) => {
        this.called('removePodSandbox');
        const sandbox = this.sandboxes.get(id);
        if (sandbox?.state === 'SANDBOX_READY') this.#release(sandbox);
        this.sandboxes.delete(id);
      },
      podSandboxStatus: async (id) => {
        const sandbox = this.sandboxes.get(id);
        if (sandbox === undefined) throw new CriError('NotFound', `sandbox ${id} not found`);
        return sandbox;
      },
      listPodSandbox: async (filter: SandboxListFilter = {}) =>
        [...this.sandboxes.values()].filter(({ id, labels }) => matches(id, labels, filter)),
      createContainer: async (podSandboxId, config) => {
        this.called('createContainer');
        const id = this.#newID();
        const { metadata, labels, annotations, image } = config;
        this.created(id, config);
        const times = { createdAt: this.#nanos(), startedAt: 0, finishedAt: 0 };
        const named = { image: { image: config.image.userSpecifiedImage ?? image.image }, imageRef: image.image };
        const base = { id, podSandboxId, metadata, labels, annotations, logPath: '', ...named, ...times };
        this.containers.set(id, { ...base, state: 'CONTAINER_CREATED', exitCode: 0, reason: '', message: '' });
        return id;
      },
      startContainer: async (id) => {
        this.called('startContainer');
        this.#change(id, { state: 'CONTAINER_RUNNING', startedAt: this.#nanos() });
        this.#endLater(id);
        this.begun(id);
      },
      stopContainer: async (id) => {
        this.called('stopContainer');
        if (this.#container(id).state === 'CONTAINER_RUNNING') this.exit(id, 0);
      },
      removeContainer: async (id) => {
        this.called('removeContainer');
        this.containers.delete(id);
      },
      listContainers: async (filter: ContainerListFilter = {}) =>
        [...this.containers.values()].filter(
          ({ id, labels, podSandboxId }) =>
            matches(id, labels, filter) && (filter.podSandboxId === undefined || filter.podSandboxId === podSandboxId),
        ),
      containerStatus: async (id) => this.#container(id),
      updateContainerResources: async () => this.called('updateContainerResources'),
      reopenContainerLog: async () => this.called('reopenContainerLog'),
      execSync: async (id, cmd) => {
        this.called('execSync');
        return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0, ...this.answer(id, cmd) };
      },
      exec: refuse,
      attach: refuse,
      portForward: refuse,
      checkpointContainer: async () => {
        throw new CriError('Unimplemented', 'containers in memory have no state to write');
      },
      listContainerStats: async () => [],
      containerEvents: (signal, connected) => this.#events(signal, connected),
      updatePodCIDR: async () => {},
    };
  }

  async *#events(signal: AbortSignal, connected: (() => void) | undefined): AsyncIterable<cri.ContainerEvent> {
    const queue = new AsyncQueue<cri.ContainerEvent>();
    this.#listeners.add(queue);
    const end = (): void => queue.end();
    signal.addEventListener('abort', end, { once: true });
    try {
      connected?.();
      yield* queue;
    } finally {
      signal.removeEventListener('abort', end);
      this.#listeners.delete(queue);
    }
  }

  #imageService(): ImageService {
    const image = (name: string): cri.Image => ({
      id: `sha256:${Buffer.from(name).toString('hex')}`,
      repoTags: [name],
      repoDigests: [],
      size: 1000,
      uid: null,
      username: '',
      pinned: false,
    });
    return {
      listImages: async () => [...this.present].map(image),
      imageStatus: async (name) => (this.present.has(name) ? image(name) : undefined),
      pullImage: async (name) => {
        this.called('pullImage');
        this.present.add(name);
        return image(name).id;
      },
      removeImage: async (name) => {
        const found = [...this.present].find((present) => present === name || image(present).id === name);
        if (found !== undefined) this.present.delete(found);
      },
      imageFsInfo: async () => [],
    };
  }
}

function matches(
  id: string,
  labels: cri.Labels,
  filter: { readonly id?: string; readonly labelSelector?: cri.Labels },
): boolean {
  if (filter.id !== undefined && filter.id !== id) return false;
  return Object.entries(filter.labelSelector ?? {}).every(([key, value]) => labels[key] === value);
}
