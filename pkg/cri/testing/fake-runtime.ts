import { systemClock } from '../../base/clock.ts';
import { type MemoryContainer, MemoryRuntime } from '../hollow/memory-runtime.ts';
import type * as cri from '../types.ts';

export interface FakeRuntimeOptions {
  readonly now?: () => number;
  /** Images that are there from the start; others can be pulled unless a failure is set. */
  readonly images?: readonly string[];
}

/** The runtime in memory for unit tests: it notes its calls down and fails on demand. Addresses are of 10.0.0.0/16. */
export class FakeRuntime extends MemoryRuntime {
  /** Method names in the order of their calls; reads are left out. */
  readonly calls: string[] = [];
  /** What the next calls of a method fail with. */
  readonly failures = new Map<string, Error>();
  readonly #configs = new Map<string, cri.ContainerConfig>();
  /** Answers execSync; exit code 0 by default. */
  exec: (containerID: string, cmd: readonly string[]) => Partial<cri.ExecSyncResult> = () => ({});

  /** Called when a container has begun to run, before its starter knows. */
  started: (containerID: string) => void = () => {};

  constructor(options: FakeRuntimeOptions = {}) {
    let last = 0;
    const take = (): string[] => {
      last++;
      return [`10.0.${last >> 8}.${last & 255}`];
    };
    super({
      name: 'fake',
      clock: { ...systemClock, ...(options.now === undefined ? {} : { now: options.now }) },
      addresses: { take, release: () => {} },
      networkReady: () => true,
    });
    for (const image of options.images ?? []) this.present.add(image);
  }

  /** The newest container with this name. */
  find(name: string): (MemoryContainer & { readonly config: cri.ContainerConfig }) | undefined {
    const found = [...this.containers.values()].findLast((container) => container.metadata.name === name);
    const config = found && this.#configs.get(found.id);
    return config && { ...found, config };
  }

  protected override called(method: string): void {
    this.calls.push(method);
    const failure = this.failures.get(method);
    if (failure !== undefined) throw failure;
  }

  protected override created(containerID: string, config: cri.ContainerConfig): void {
    this.#configs.set(containerID, config);
  }

  protected override begun(containerID: string): void {
    this.started(containerID);
  }

  protected override answer(containerID: string, cmd: readonly string[]): Partial<cri.ExecSyncResult> {
    return this.exec(containerID, cmd);
  }
}
