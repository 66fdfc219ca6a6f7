import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { SYSTEM_CRITICAL_PRIORITY } from '../pod/critical.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import type { Pod } from '../types.ts';

const CHECK_MS = 100;

export interface NodeShutdownOptions {
  /** What all pods have together to end; 0: pods outlive the kubelet. */
  readonly graceMs: number;
  /** The part of it that is kept for critical pods. */
  readonly criticalGraceMs: number;
}

export interface NodeShutdownDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ShutdownState;
  /** Pods that run or are about to. */
  readonly active: () => Iterable<Pod>;
  /** Whether something of the pod is still there. */
  readonly isEnding: (uid: string) => boolean;
  readonly fail: (uid: string, failure: PodFailure) => void;
  /** Writes the node's status now. */
  readonly report: () => Promise<unknown>;
}

/** Whether the machine goes down: read by whoever reports the node or takes new pods. */
export class ShutdownState {
  underWay = false;

  /** Why no pod may come any more. */
  refusal(): PodFailure | undefined {
    if (!this.underWay) return undefined;
    return { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  }
}

/**
 * Ends the pods of the node when the kubelet is told to stop and has a grace period for it: first those that are not critical,
 * then the others, each with their part of it. Upstream's graceful node shutdown; what tells of the shutdown is the signal that
 * stops the process, not a lock of systemd's.
 */
export class NodeShutdown implements Component {
  readonly name = 'node-shutdown';
  readonly #options: NodeShutdownOptions;
  readonly #deps: NodeShutdownDeps;

  constructor(options: NodeShutdownOptions, deps: NodeShutdownDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await aborted(signal);
    const { graceMs, criticalGraceMs } = this.#options;
    if (graceMs <= 0) return;
    const { state, logger, report } = this.#deps;
    state.underWay = true;
    logger.info({ graceMs, criticalGraceMs }, 'the node is shutting down');
    await report().catch((error: unknown) => logger.warn({ err: error }, 'the shutdown could not be told'));
    await this.#end((pod) => !isCritical(pod), Math.max(0, graceMs - criticalGraceMs));
    await this.#end(isCritical, criticalGraceMs);
  }

  async #end(which: (pod: Pod) => boolean, graceMs: number): Promise<void> {
    const { clock, active, fail, isEnding, logger } = this.#deps;
    const uids = [...active()].filter(which).map(({ metadata }) => metadata.uid);
    const message = 'Pod was terminated in response to imminent node shutdown.';
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message };
    const graceSeconds = Math.floor(graceMs / 1000);
    for (const uid of uids) fail(uid, { reason: 'Terminated', message, graceSeconds, condition, withoutEvent: true });
    const until = clock.monotonic() + graceMs;
    while (uids.some(isEnding) && clock.monotonic() < until) await clock.sleep(CHECK_MS);
    const left = uids.filter(isEnding).length;
    if (left > 0) logger.warn({ pods: left }, 'pods did not end in their part of the grace period');
  }
}

/** What the node itself needs, by its priority alone: it ends last. */
function isCritical({ spec }: Pod): boolean {
  return (spec.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}
