import type { Logger } from '../../base/logger.ts';
import { criErrorText } from '../../cri/index.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import type { Container, Pod } from '../types.ts';
import { AllocationError, type Hint, type HintProvider } from './hints.ts';
import { type MergeInput, mergeHints } from './merge.ts';

export interface TopologyManagerOptions extends MergeInput {
  /** Whether the resources of each container, or of all of a pod, are to be near each other. */
  readonly scope: 'container' | 'pod';
}

export interface TopologyManagerDeps {
  /** In the order in which they give. */
  readonly providers: readonly HintProvider[];
  readonly measure: {
    /** A pod came, and how long its admission took; failed: its resources cannot be near each other. */
    topologyAdmission(seconds: number, failed: boolean): void;
    /** A container has (or a pod's containers have) all from one NUMA node, or could not have it. */
    nodeAlignment(scope: 'container' | 'pod', failed: boolean): void;
  };
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Gives a pod CPUs, memory and devices that are near each other, as far as the policy asks for it. Upstream's topology manager
 * with the admission that it is part of.
 */
export class TopologyManager {
  readonly #options: TopologyManagerOptions;
  readonly #deps: TopologyManagerDeps;
  /** One pod at a time, or two get the same. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TopologyManagerOptions, deps: TopologyManagerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Gives the pod's containers what is theirs alone; why the pod cannot have it, when it cannot. Again: they keep what they have. */
  admit(pod: Pod): Promise<PodFailure | undefined> {
    const turn = this.#turn.then(() => this.#admit(pod));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** What pods that are gone had is free again, soon. */
  reclaim(): void {
    this.#turn = this.#turn.then(() => {
      for (const provider of this.#deps.providers) provider.reclaim();
      return this.#saved();
    });
  }

  async #admit(pod: Pod): Promise<PodFailure | undefined> {
    const started = this.#deps.monotonic();
    for (const provider of this.#deps.providers) provider.reclaim();
    const failure = await this.#give(pod).catch(failureOf);
    if (failure !== undefined) for (const provider of this.#deps.providers) provider.reclaim(pod.metadata.uid);
    await this.#saved();
    const failed = failure?.reason === TOPOLOGY_ERROR;
    this.#deps.measure.topologyAdmission((this.#deps.monotonic() - started) / 1000, failed);
    return failure;
  }

  /** A pod whose share cannot be noted runs all the same, as upstream. */
  async #saved(): Promise<void> {
    for (const provider of this.#deps.providers) {
      await provider.saved().catch((error: unknown) => {
        this.#deps.logger.warn({ err: error }, 'what pods were given could not be noted');
      });
    }
  }

  async #give(pod: Pod): Promise<undefined> {
    const { providers } = this.#deps;
    const forPod = this.#options.scope === 'pod' ? this.#agreed((provider) => provider.podHints(pod)) : undefined;
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers] as Container[]) {
      const hint = forPod ?? this.#agreed((provider) => provider.containerHints(pod, container));
      for (const provider of providers) await provider.allocate(pod, container, hint);
      if (this.#options.policy === 'single-numa-node') this.#deps.measure.nodeAlignment(this.#options.scope, false);
    }
    return undefined;
  }

  #agreed(hints: (provider: HintProvider) => ReturnType<HintProvider['podHints']>): Hint {
    const wishes = this.#options.policy === 'none' ? [] : this.#deps.providers.map(hints);
    const { hint, admit } = mergeHints(wishes, this.#options);
    if (admit) return hint;
    if (this.#options.policy === 'single-numa-node') this.#deps.measure.nodeAlignment(this.#options.scope, true);
    throw new AllocationError(TOPOLOGY_ERROR, 'Resources cannot be allocated with Topology locality');
  }
}

const TOPOLOGY_ERROR = 'TopologyAffinityError';

function failureOf(error: unknown): PodFailure {
  if (error instanceof AllocationError) return { reason: error.reason, message: error.message };
  const message = `Allocate failed due to ${criErrorText(error)}, which is unexpected`;
  return { reason: 'UnexpectedAdmissionError', message };
}
