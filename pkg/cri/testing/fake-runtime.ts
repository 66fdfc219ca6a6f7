import { AsyncQueue } from '../../base/queue.ts';
import { CriError } from '../grpc.ts';
import type { ContainerListFilter, CRI, ImageService, RuntimeService, SandboxListFilter } from '../runtime.ts';
import type * as cri from '../types.ts';

export interface FakeContainer extends cri.ContainerStatus {
  readonly podSandboxId: string;
  readonly config: cri.ContainerConfig;
}

export interface FakeRuntimeOptions {
  readonly now?: () => number;
  /** Images that are there from the start; others can be pulled unless `pullError` is set. */
  readonly images?: readonly string[];
}

const NANOS_PER_MS = 1e6;

/**
 * A container runtime in memory: sandboxes and containers with their states, no processes. Containers run until they are
 * stopped, or `exit` ends them. For unit tests and for nodes that only pretend.
 */
export class FakeRuntime implements CRI {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  readonly sandboxes = new Map<string, cri.PodSandboxStatus & { readonly config: cri.PodSandboxConfig }>();
  readonly containers = new Map<string, FakeContainer>();
  readonly present = new Set<string>();
  /** Method names in the order of their calls; reads are left out. */
  readonly calls: string[] = [];
  /** What the next calls of a method fail with. */
  readonly failures = new Map<string, Error>();
  /** Answers execSync; exit code 0 by default. */
  exec: (containerID: string, cmd: readonly string[]) => Partial<cri.ExecSyncResult> = () => ({});
  /** Called when a container has begun to run, before its starter knows. */
  started: (containerID: string) => void = () => {};
  readonly #now: () => number;
  readonly #listeners = new Set<AsyncQueue<cri.ContainerEvent>>();
  #nextID = 0;

  constructor(options: FakeRuntimeOptions = {}) {
    this.#now = options.now ?? Date.now;
    for (const image of options.images ?? []) this.present.add(image);
    this.runtime = this.#runtimeService();
    this.images = this.#imageService();
  }

  close(): void {}

  /** The newest container with this name. */
  find(name: string): FakeContainer | undefined {
    return [...this.containers.values()].findLast((container) => container.metadata.name === name);
  }

  /** The process of a container ends. */
  exit(id: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    this.#change(id, { state: 'CONTAINER_EXITED', exitCode, reason, finishedAt: this.#nanos() });
    for (const queue of this.#listeners) queue.push({ containerId: id, type: 'stopped' });
  }

  #nanos(): number {
    return this.#now() * NANOS_PER_MS;
  }

  #call(method: string): void {
    this.calls.push(method);
    const failure = this.failures.get(method);
    if (failure !== undefined) throw failure;
  }

  #newID(): string {
    this.#nextID++;
    return this.#nextID.toString(16).padStart(64, '0');
  }

  #container(id: string): FakeContainer {
    const container = this.containers.get(id);
    if (container === undefined) throw new CriError('NotFound', `container ${id} not found`);
    return container;
  }

  #change(id: string, change: Partial<FakeContainer>): void {
    this.containers.set(id, { ...this.#container(id), ...change });
  }

  #runtimeService(): RuntimeService {
    const refuse = async (): Promise<never> => {
      throw new CriError('Unimplemented', 'the fake runtime has no streams');
    };
    return {
      version: async () => ({ version: 'v1', runtimeName: 'fake', runtimeVersion: '1.0', runtimeApiVersion: 'v1' }),
      status: async () => ({
        handlers: [],
        features: { supplementalGroupsPolicy: false },
        conditions: ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' })),
      }),
      runPodSandbox: async (config) => {
        this.#call('runPodSandbox');
        const id = this.#newID();
        const network = { ip: `10.0.${this.#nextID >> 8}.${this.#nextID & 255}`, additionalIps: [] };
        const { metadata, labels, annotations } = config;
        const base = { id, metadata, labels, annotations, config, network };
        this.sandboxes.set(id, { ...base, state: 'SANDBOX_READY', createdAt: this.#nanos() });
        return id;
      },
      stopPodSandbox: async (id) => {
        this.#call('stopPodSandbox');
        const sandbox = this.sandboxes.get(id);
        if (sandbox !== undefined) this.sandboxes.set(id, { ...sandbox, state: 'SANDBOX_NOTREADY' });
      },
      removePodSandbox: async (id) => {
        this.#call('removePodSandbox');
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
        this.#call('createContainer');
        const id = this.#newID();
        const { metadata, labels, annotations, image } = config;
        const times = { createdAt: this.#nanos(), startedAt: 0, finishedAt: 0 };
        const logPath = `${this.sandboxes.get(podSandboxId)?.config.logDirectory}/${config.logPath}`;
        const named = { image: { image: config.image.userSpecifiedImage ?? image.image }, imageRef: image.image };
        const base = { id, podSandboxId, config, metadata, labels, annotations, logPath, ...named, ...times };
        this.containers.set(id, { ...base, state: 'CONTAINER_CREATED', exitCode: 0, reason: '', message: '' });
        return id;
      },
      startContainer: async (id) => {
        this.#call('startContainer');
        this.#change(id, { state: 'CONTAINER_RUNNING', startedAt: this.#nanos() });
        this.started(id);
      },
      stopContainer: async (id) => {
        this.#call('stopContainer');
        if (this.#container(id).state === 'CONTAINER_RUNNING') this.exit(id, 0);
      },
      removeContainer: async (id) => {
        this.#call('removeContainer');
        this.containers.delete(id);
      },
      listContainers: async (filter: ContainerListFilter = {}) =>
        [...this.containers.values()].filter(
          ({ id, labels, podSandboxId }) =>
            matches(id, labels, filter) && (filter.podSandboxId === undefined || filter.podSandboxId === podSandboxId),
        ),
      containerStatus: async (id) => this.#container(id),
      updateContainerResources: async () => this.#call('updateContainerResources'),
      reopenContainerLog: async () => this.#call('reopenContainerLog'),
      execSync: async (id, cmd) => {
        this.#call('execSync');
        return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0, ...this.exec(id, cmd) };
      },
      exec: refuse,
      attach: refuse,
      portForward: refuse,
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
        this.#call('pullImage');
        this.present.add(name);
        return image(name).id;
      },
      removeImage: async (name) => {
        this.present.delete(name);
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
