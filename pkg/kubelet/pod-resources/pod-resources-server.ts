import { aborted } from '../../base/abort.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { CriError, GrpcServer, parseFacts } from '../../cri/index.ts';
import type { ManagerMetrics, PodResourcesCall } from '../stats/manager-metrics.ts';
import type { Pod } from '../types.ts';
import { podResourcesAlphaFacts, podResourcesFacts } from './facts.ts';
import { allocatableResources, type Givers, podResources } from './pod-resources.ts';
import { TokenBucket } from './token-bucket.ts';

export interface PodResourcesDeps extends Givers {
  /** The pods that run, or are about to. */
  readonly active: () => Iterable<Pod>;
  readonly metrics: ManagerMetrics;
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/** Upstream's limits. */
const CALLS_PER_SECOND = 100;
const CALLS_AT_ONCE = 10;

/** The socket at which monitoring agents ask who has which devices, CPUs and memory: `kubelet.sock` in `pod-resources`. */
export class PodResourcesServer implements Component {
  readonly name = 'pod-resources';
  readonly #socket: string;
  readonly #deps: PodResourcesDeps;

  constructor(socket: string, deps: PodResourcesDeps) {
    this.#socket = socket;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const server = new GrpcServer();
    const limit = new TokenBucket(CALLS_PER_SECOND, CALLS_AT_ONCE, this.#deps.monotonic);
    for (const [version, facts] of [
      ['v1', podResourcesFacts],
      ['v1alpha1', podResourcesAlphaFacts],
    ] as const) {
      const methods = parseFacts(version, facts);
      const add = (name: string, call: PodResourcesCall, answer: (request: object) => object): void =>
        server.add(methods.method('PodResourcesLister', name), (request) => {
          if (!limit.take()) throw new CriError('ResourceExhausted', 'rejected by rate limit');
          return this.#measured(version, call, answer, request);
        });
      add('List', 'list', () => ({
        podResources: [...this.#deps.active()].map((pod) => podResources(pod, this.#deps)),
      }));
      if (version !== 'v1') continue;
      add('GetAllocatableResources', 'get_allocatable', () => allocatableResources(this.#deps));
      add('Get', 'get', (request) => this.#get(request as { podName: string; podNamespace: string }));
    }
    if (!(await server.listen(this.#socket))) {
      this.#deps.logger.warn(
        { path: this.#socket },
        'resources of pods are not told: the path of their socket is too long',
      );
    }
    ready();
    await aborted(signal);
    server.close();
  }

  #get({ podName, podNamespace }: { podName: string; podNamespace: string }): object {
    for (const pod of this.#deps.active()) {
      if (pod.metadata.name === podName && pod.metadata.namespace === podNamespace) {
        return { podResources: podResources(pod, this.#deps) };
      }
    }
    throw new Error(`pod ${podName} in namespace ${podNamespace} not found`);
  }

  #measured(version: string, call: PodResourcesCall, answer: (request: object) => object, request: object): object {
    let failed = true;
    try {
      const answered = answer(request);
      failed = false;
      return answered;
    } finally {
      this.#deps.metrics.podResources(version, call, failed);
    }
  }
}
