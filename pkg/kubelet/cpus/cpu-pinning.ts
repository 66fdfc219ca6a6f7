import type { Logger } from '../../base/logger.ts';
import { type CRI, isCriError } from '../../cri/index.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';

export interface CPUPinningDeps {
  readonly cri: CRI;
  readonly logger: Logger;
  /** Where a container is to run, as the runtime wants it. */
  readonly cpusOf: (uid: string, container: string) => string;
}

/**
 * Moves containers that run to the CPUs that they are to run on now. Upstream looks at all of them every ten seconds; here
 * that is done when the runtime was read (new containers, and all after a restart), and when the shared CPUs change.
 */
export class CPUPinning {
  readonly #deps: CPUPinningDeps;
  /** By container id: where it runs. */
  readonly #applied = new Map<string, string>();
  readonly #pods = new Map<string, readonly RuntimeContainer[]>();
  readonly #moving = new Set<string>();

  constructor(deps: CPUPinningDeps) {
    this.#deps = deps;
  }

  /** A container was made to run on these CPUs. */
  made(id: string, cpus: string): void {
    this.#applied.set(id, cpus);
  }

  /** The runtime was read. */
  follow(uid: string, { containers }: PodRuntime): void {
    const live = containers.filter(({ state }) => state === 'running' || state === 'created');
    for (const { id } of [...containers, ...(this.#pods.get(uid) ?? [])]) {
      if (!live.some((one) => one.id === id)) this.#applied.delete(id);
    }
    if (live.length === 0) this.#pods.delete(uid);
    else this.#pods.set(uid, live);
    this.#check(uid, live);
  }

  /** Other CPUs are shared. */
  checkAll(): void {
    for (const [uid, containers] of this.#pods) this.#check(uid, containers);
  }

  #check(uid: string, containers: readonly RuntimeContainer[]): void {
    for (const container of containers) {
      if (this.#moving.has(container.id)) continue;
      this.#moving.add(container.id);
      this.#move(uid, container).catch((error: unknown) => {
        if (isCriError(error, 'NotFound')) return;
        this.#deps.logger.warn({ err: error, container: container.name }, 'container could not be moved to its CPUs');
      });
    }
  }

  /** Until it runs where it is to run: that may change meanwhile. */
  async #move(uid: string, { id, name }: RuntimeContainer): Promise<void> {
    try {
      for (
        let cpus = this.#deps.cpusOf(uid, name);
        this.#applied.get(id) !== cpus;
        cpus = this.#deps.cpusOf(uid, name)
      ) {
        await this.#deps.cri.runtime.updateContainerResources(id, { cpusetCpus: cpus });
        if (this.#pods.get(uid)?.some((one) => one.id === id) !== true) return;
        this.#applied.set(id, cpus);
      }
    } finally {
      this.#moving.delete(id);
    }
  }
}
