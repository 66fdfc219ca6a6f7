import type { ContainerStatus, CRI, PodSandbox, PodSandboxStatus } from '../../cri/index.ts';
import { isCriError } from '../../cri/index.ts';
import { CONTAINER_HASH, CONTAINER_NAME_LABEL, POD_UID_LABEL, RESTART_COUNT } from '../labels.ts';

/** A container as the runtime has it. Times in milliseconds since 1970, 0 when not set. */
export interface RuntimeContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxID: string;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly restartCount: number;
  readonly hash: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageID: string;
  readonly logPath: string;
  /** Whose its first process is; absent: the runtime does not tell. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuntimeSandbox {
  readonly id: string;
  readonly ready: boolean;
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly ips: readonly string[];
}

/** Everything the runtime has of one pod, newest first. */
export interface PodRuntime {
  readonly sandboxes: readonly RuntimeSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

/** Ids of what was made since the runtime was read. */
export interface MadeInRuntime {
  readonly sandboxes: readonly string[];
  readonly containers: readonly { readonly id: string; readonly sandboxID: string }[];
}

export const NO_RUNTIME: PodRuntime = { sandboxes: [], containers: [] };

export function newestContainer(runtime: PodRuntime, name: string): RuntimeContainer | undefined {
  return runtime.containers.find((container) => container.name === name);
}

const STATES = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
} as const;

const NANOS_PER_MS = 1e6;

/** Reads the state of single pods. What cannot change any more (exited containers, sandbox addresses) is remembered. */
export class PodRuntimeReader {
  readonly #cri: CRI;
  readonly #exited = new Map<string, RuntimeContainer>();
  readonly #ips = new Map<string, readonly string[]>();

  constructor(cri: CRI) {
    this.#cri = cri;
  }

  async read(uid: string, signal?: AbortSignal): Promise<PodRuntime> {
    const labelSelector = { [POD_UID_LABEL]: uid };
    const { runtime } = this.#cri;
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandbox({ labelSelector }, { signal }),
      runtime.listContainers({ labelSelector }, { signal }),
    ]);
    const [readSandboxes, readContainers] = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#sandbox(sandbox, signal))),
      Promise.all(containers.map((container) => this.#container(container.id, container.podSandboxId, signal))),
    ]);
    return newestFirst(readSandboxes.filter(isDefined), readContainers.filter(isDefined));
  }

  /** What there is after a sandbox or containers were made, of which the ids are known, and nothing else was done. */
  async readMade(before: PodRuntime, made: MadeInRuntime, signal?: AbortSignal): Promise<PodRuntime> {
    const { runtime } = this.#cri;
    const sandboxes = await Promise.all(
      made.sandboxes.map(async (id) => {
        const status = await ifFound(runtime.podSandboxStatus(id, { signal }));
        return status === undefined ? undefined : this.#withStatus(status);
      }),
    );
    const containers = await Promise.all(
      made.containers.map(({ id, sandboxID }) => this.#container(id, sandboxID, signal)),
    );
    return newestFirst(
      [...sandboxes.filter(isDefined), ...before.sandboxes.filter(({ id }) => !made.sandboxes.includes(id))],
      [
        ...containers.filter(isDefined),
        ...before.containers.filter(({ id }) => made.containers.every((other) => other.id !== id)),
      ],
    );
  }

  /** Forgets what is no longer in the runtime. */
  forget(runtime: PodRuntime): void {
    for (const { id } of runtime.containers) this.#exited.delete(id);
    for (const { id } of runtime.sandboxes) this.#ips.delete(id);
  }

  async #sandbox(sandbox: PodSandbox, signal: AbortSignal | undefined): Promise<RuntimeSandbox | undefined> {
    const ready = sandbox.state === 'SANDBOX_READY';
    const ips = this.#ips.get(sandbox.id);
    if (ips !== undefined || !ready) return runtimeSandbox(sandbox, ips ?? []);
    const status = await ifFound(this.#cri.runtime.podSandboxStatus(sandbox.id, { signal }));
    return status === undefined ? undefined : this.#withStatus(status);
  }

  #withStatus(status: PodSandboxStatus): RuntimeSandbox {
    const { ip, additionalIps } = status.network ?? { ip: '', additionalIps: [] };
    const ips = ip === '' ? [] : [ip, ...additionalIps.map((other) => other.ip)];
    if (status.state === 'SANDBOX_READY') this.#ips.set(status.id, ips);
    return runtimeSandbox(status, ips);
  }

  async #container(
    id: string,
    sandboxID: string,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeContainer | undefined> {
    const known = this.#exited.get(id);
    if (known !== undefined) return known;
    const status = await ifFound(this.#cri.runtime.containerStatus(id, { signal }));
    if (status === undefined) return undefined;
    const container = runtimeContainer(status, sandboxID);
    if (container.state === 'exited') this.#exited.set(id, container);
    return container;
  }
}

/** It may be removed between the listing and the look at it. */
async function ifFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isCriError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function newestFirst(sandboxes: readonly RuntimeSandbox[], containers: readonly RuntimeContainer[]): PodRuntime {
  return {
    sandboxes: sandboxes.toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    containers: containers.toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.restartCount - a.restartCount),
  };
}

function runtimeSandbox({ id, state, metadata, createdAt }: PodSandbox, ips: readonly string[]): RuntimeSandbox {
  return {
    id,
    ready: state === 'SANDBOX_READY',
    attempt: metadata.attempt,
    createdAtMs: createdAt / NANOS_PER_MS,
    ips,
  };
}

function runtimeContainer(status: ContainerStatus, sandboxID: string): RuntimeContainer {
  return {
    id: status.id,
    name: status.labels[CONTAINER_NAME_LABEL] ?? status.metadata.name,
    sandboxID,
    state: STATES[status.state],
    restartCount: Number(status.annotations[RESTART_COUNT] ?? status.metadata.attempt),
    hash: status.annotations[CONTAINER_HASH] ?? '',
    createdAtMs: status.createdAt / NANOS_PER_MS,
    startedAtMs: status.startedAt / NANOS_PER_MS,
    finishedAtMs: status.finishedAt / NANOS_PER_MS,
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image.image,
    imageID: status.imageRef,
    logPath: status.logPath,
    ...(status.user?.linux == null ? {} : { user: status.user.linux }),
    annotations: status.annotations,
  };
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
