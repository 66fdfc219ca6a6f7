import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { isCriError } from '../../cri/index.ts';
import { podSubject } from '../container/container-events.ts';
import { KillError, killContainers } from '../container/kill.ts';
import type { KubeletContext } from '../context.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';
import { podDNS } from './dns.ts';
import { sandboxConfig } from './sandbox-config.ts';

/** Makes a pod's sandbox and ends everything in it. */
export class PodSandbox {
  readonly #context: KubeletContext;
  #hasten: ((graceSeconds: number) => void) | undefined;

  constructor(context: KubeletContext) {
    this.#context = context;
  }

  /** The id of the new sandbox; undefined: an event says why there is none. */
  async create(pod: Pod, attempt: number, signal: AbortSignal): Promise<string | undefined> {
    const { cri, recorder, clock } = this.#context.deps;
    const { metrics } = this.#context;
    for (const text of podDNS(pod, this.#context.hostDNS, this.#context.options).omitted) {
      recorder.event(podSubject(pod), 'Warning', 'DNSConfigForming', text);
    }
    const startedMs = clock.monotonic();
    let handler = '';
    const started = (failed: boolean): void =>
      metrics.sandboxStarted(handler, (clock.monotonic() - startedMs) / 1000, failed);
    try {
      handler = await runtimeHandler(pod, this.#context, signal);
      await this.#context.userNamespaces.prepare(pod, handler);
      const id = await cri.runtime.runPodSandbox(sandboxConfig(pod, attempt, this.#context), handler, { signal });
      started(false);
      return id;
    } catch (error) {
      signal.throwIfAborted();
      started(true);
      const message = `Failed to create pod sandbox: ${error instanceof Error ? error.message : error}`;
      recorder.event(podSubject(pod), 'Warning', 'FailedCreatePodSandBox', message);
      return undefined;
    }
  }

  /** Stops the containers that run, then the sandboxes. Throws a KillError; rejects when `signal` aborts. */
  async stop(pod: Pod, read: PodRuntime, graceSeconds: number, podIP: string, signal: AbortSignal): Promise<void> {
    const { runtime } = this.#context.deps.cri;
    const running = read.containers.filter(({ state }) => state !== 'exited');
    this.#hasten = (shorterSeconds) => {
      for (const { id } of running) {
        runtime.stopContainer(id, shorterSeconds).catch((error: unknown) => {
          if (!isCriError(error, 'NotFound'))
            this.#context.deps.logger.debug({ err: error }, 'container could not be stopped faster');
        });
      }
    };
    try {
      await killContainers(pod, running, graceSeconds, podIP, this.#context, signal);
      for (const { id } of read.sandboxes) {
        await runtime.stopPodSandbox(id, { signal }).catch((error: unknown) => {
          signal.throwIfAborted();
          throw new KillError('KillPodSandbox', pod.metadata.uid, error);
        });
      }
    } finally {
      this.#hasten = undefined;
    }
  }

  /** A shorter grace period takes effect at once, if the pod is being stopped. */
  hasten(graceSeconds: number): void {
    this.#hasten?.(graceSeconds);
  }
}

/** The runtime's handler for the pod's runtime class; '' is the default one. */
async function runtimeHandler(pod: Pod, context: KubeletContext, signal: AbortSignal): Promise<string> {
  const name = pod.spec.runtimeClassName;
  if (name === undefined || name === '') return '';
  try {
    return (await context.deps.client.get(resources.runtimeclasses, { name }, signal)).handler;
  } catch (error) {
    if (isStatusError(error, 'NotFound'))
      throw new Error(`runtimeclass.node.k8s.io "${name}" not found`, { cause: error });
    throw error;
  }
}
