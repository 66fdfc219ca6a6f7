import { formatDuration } from '../../api/duration.ts';
import { monotonicSince } from '../../base/clock.ts';
import { containerSubject } from '../container/container-events.ts';
import { CONTAINER_TYPES, StartError, type StartInput, startContainer } from '../container/start.ts';
import type { KubeletContext } from '../context.ts';
import { podText } from '../types.ts';
import type { WaitingReason } from './container-status.ts';
import { RestartBackoff } from './restart-backoff.ts';
import type { RetryTimes } from './retry-times.ts';

export interface ContainerStarterDeps {
  readonly context: KubeletContext;
  readonly retries: RetryTimes;
  /** Look at the pod again at this time. */
  readonly wakeBy: (atMs: number) => void;
}

/** Starts the containers of one pod, minding their back-off, and remembers why one does not run. */
export class ContainerStarter {
  readonly #deps: ContainerStarterDeps;
  readonly #waiting = new Map<string, WaitingReason>();
  readonly #backoff = new RestartBackoff();
  /** Ids of the ended runs whose back-off was told of. */
  readonly #reported = new Set<string>();
  /** By id of an ended run: when that was, monotonic. */
  readonly #ends = new Map<string, number>();

  constructor(deps: ContainerStarterDeps) {
    this.#deps = deps;
  }

  waiting(name: string): WaitingReason | undefined {
    return this.#waiting.get(name);
  }

  forget(containerID: string): void {
    this.#reported.delete(containerID);
    this.#ends.delete(containerID);
  }

  /** Whether anything changed: a container was made, or why it waits. */
  async start(input: StartInput, signal: AbortSignal): Promise<boolean> {
    const { name } = input.action.container;
    const { context, retries, wakeBy } = this.#deps;
    const { clock } = context.deps;
    if (retries.waits(name)) return false;
    const { ended } = input.action;
    if (ended !== undefined) {
      const endedAtMs = this.#ends.get(ended.id) ?? monotonicSince(clock, ended.finishedAtMs);
      this.#ends.set(ended.id, endedAtMs);
      const wait = this.#backoff.waitFor(name, endedAtMs, clock.monotonic());
      if (wait !== undefined) {
        wakeBy(wait.untilMs);
        return this.#reportBackoff(input, ended.id, wait.backoffMs);
      }
      this.#backoff.tried(name, endedAtMs, clock.monotonic());
    }
    try {
      await startContainer(input, context, signal);
      this.#waiting.delete(name);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.#waiting.set(name, { reason: error.reason, message: error.message });
      context.metrics.containerFailed(CONTAINER_TYPES[input.action.kind], error.reason);
      if (error.retryAtMs === undefined) wakeBy(clock.monotonic());
      else retries.failed(name, error.retryAtMs);
    }
    return true;
  }

  #reportBackoff({ pod, action }: StartInput, endedID: string, backoffMs: number): boolean {
    if (this.#reported.has(endedID) && this.#waiting.has(action.container.name)) return false;
    this.#reported.add(endedID);
    const { name } = action.container;
    const message = `Back-off restarting failed container ${name} in pod ${podText(pod)}`;
    this.#deps.context.deps.recorder.event(containerSubject(pod, action), 'Warning', 'BackOff', message);
    const text = `back-off ${formatDuration(backoffMs)} restarting failed container=${name} pod=${podText(pod)}`;
    this.#waiting.set(name, { reason: 'CrashLoopBackOff', message: text });
    return true;
  }
}
