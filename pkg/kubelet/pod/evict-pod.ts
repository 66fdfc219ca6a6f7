import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EventRecorder } from '../../client/index.ts';
import { podSubject } from '../container/container-events.ts';
import { type Pod, podText } from '../types.ts';
import type { PodFailure } from './pod-status.ts';

/** How long a pod may take to end: half as long again as its grace period, but no less than this. */
const MIN_KILL_MS = 10_000;
const KILL_MS_PER_SECOND = 1_500;

export interface EvictedPod {
  readonly pod: Pod;
  fail(failure: PodFailure): void;
  whenStopped(): Promise<void>;
}

export interface EvictPodDeps {
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly logger: Logger;
}

/**
 * Ends a pod for a reason of the node's. Resolves to whether nothing of it runs any more within the time that it may take; false
 * also when `signal` aborts before. Upstream: killPodNow.
 */
export async function evictPod(
  evicted: EvictedPod,
  failure: PodFailure,
  { clock, recorder, logger }: EvictPodDeps,
  signal: AbortSignal,
): Promise<boolean> {
  evicted.fail(failure);
  const graceSeconds = failure.graceSeconds ?? evicted.pod.spec.terminationGracePeriodSeconds ?? 0;
  const enough = new AbortController();
  const patience = clock.sleep(
    Math.max(MIN_KILL_MS, graceSeconds * KILL_MS_PER_SECOND),
    AbortSignal.any([enough.signal, signal]),
  );
  const ended = await Promise.race([evicted.whenStopped().then(() => true), patience.then(() => false)]);
  enough.abort();
  if (ended || signal.aborted) return ended;
  const message = 'Container runtime did not kill the pod within specified grace period.';
  recorder.event(podSubject(evicted.pod), 'Warning', 'ExceededGracePeriod', message);
  logger.warn({ pod: podText(evicted.pod) }, 'a pod that the node ends did not end in time');
  return false;
}
