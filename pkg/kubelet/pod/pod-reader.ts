import { terminationLogPath } from '../container/mounts.ts';
import { terminationMessage } from '../container/termination-message.ts';
import type { KubeletContext } from '../context.ts';
import { NO_RUNTIME, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';

/** How long a container that is said to have ended may still show as running. */
const STALE_WAIT_MS = 20;
const STALE_READS = 15;

/** What the runtime has of one pod, as it was last read, with the termination messages of its ended containers. */
export class PodReader {
  readonly #uid: string;
  readonly #context: KubeletContext;
  readonly #stoppedIDs = new Set<string>();
  readonly #messages = new Map<string, string>();
  readonly #waiters = new Set<() => void>();
  #runtime: PodRuntime = NO_RUNTIME;
  #made: { sandboxes: string[]; containers: { id: string; sandboxID: string }[] } = { sandboxes: [], containers: [] };

  constructor(uid: string, context: KubeletContext) {
    this.#uid = uid;
    this.#context = context;
  }

  get runtime(): PodRuntime {
    return this.#runtime;
  }

  /** The runtime said that this container (or sandbox) ended. */
  stopped(id: string): void {
    this.#stoppedIDs.add(id);
  }

  terminationMessage(container: RuntimeContainer): string {
    return this.#messages.get(container.id) ?? '';
  }

  async read(signal?: AbortSignal): Promise<PodRuntime> {
    const { reader, deps } = this.#context;
    let runtime = await reader.read(this.#uid, signal);
    for (let tries = 1; tries <= STALE_READS && this.#isStale(runtime); tries++) {
      await deps.clock.sleep(STALE_WAIT_MS * tries, signal);
      runtime = await reader.read(this.#uid, signal);
    }
    return this.#note(runtime);
  }

  /** A sandbox was made. */
  madeSandbox(id: string): void {
    this.#made.sandboxes.push(id);
  }

  /** A container was made. */
  madeContainer(id: string, sandboxID: string): void {
    this.#made.containers.push({ id, sandboxID });
  }

  /** Reads what was made since the last reading; all else is as it was then, unless the runtime has said that something ended. */
  async readMade(signal: AbortSignal): Promise<PodRuntime> {
    const runtime = await this.#context.reader.readMade(this.#runtime, this.#made, signal);
    return this.#isStale(runtime) ? this.read(signal) : this.#note(runtime);
  }

  async #note(runtime: PodRuntime): Promise<PodRuntime> {
    this.#made = { sandboxes: [], containers: [] };
    this.#stoppedIDs.clear();
    this.#runtime = runtime;
    for (const check of this.#waiters) check();
    for (const container of runtime.containers) {
      if (container.state !== 'exited' || this.#messages.has(container.id)) continue;
      const path = terminationLogPath(this.#context, this.#uid, container.name, container.restartCount);
      this.#messages.set(container.id, await terminationMessage(container, path));
    }
    return runtime;
  }

  forget(containerID: string): void {
    this.#messages.delete(containerID);
  }

  /** Resolves when the container no longer runs, or `signal` aborts. */
  untilEnded(id: string, signal: AbortSignal): Promise<void> {
    const running = (): boolean => this.#runtime.containers.some((one) => one.id === id && one.state === 'running');
    if (!running() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (running() && !signal.aborted) return;
        this.#waiters.delete(check);
        signal.removeEventListener('abort', check);
        resolve();
      };
      this.#waiters.add(check);
      signal.addEventListener('abort', check, { once: true });
    });
  }

  #isStale(runtime: PodRuntime): boolean {
    if (this.#stoppedIDs.size === 0) return false;
    return (
      runtime.containers.some(({ id, state }) => state === 'running' && this.#stoppedIDs.has(id)) ||
      runtime.sandboxes.some(({ id, ready }) => ready && this.#stoppedIDs.has(id))
    );
  }
}
