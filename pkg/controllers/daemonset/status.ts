import type { DaemonSetStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { availableInMs, isPodReady, type ReadPod } from '../pod-status.ts';
import { isUpdated, type ReadDaemonSet } from './placement.ts';
import { type NodePlacement, type PodsByNode, scheduledAndOldFirst } from './plan.ts';

export interface Counted {
  readonly status: DeepReadonly<DaemonSetStatus>;
  /** When the next ready pod becomes available, be it one that is to replace another. */
  readonly nextAvailableInMs: number | undefined;
}

export interface StatusOptions {
  readonly hash: string;
  readonly nowMs: number;
  readonly collisionCount: number | undefined;
  /** False: pods of the present generation are still under way. */
  readonly isObserved: boolean;
}

/** The status that follows from nodes and pods; of each node the oldest pod counts. */
export function daemonSetStatus(
  set: ReadDaemonSet,
  nodes: readonly NodePlacement[],
  pods: PodsByNode,
  { hash, nowMs, collisionCount, isObserved }: StatusOptions,
): Counted {
  let desired = 0;
  let current = 0;
  let misscheduled = 0;
  let ready = 0;
  let updated = 0;
  let available = 0;
  let nextAvailableInMs: number | undefined;
  for (const { name, shouldRun } of nodes) {
    const present = pods.get(name) ?? [];
    if (!shouldRun) {
      if (present.length > 0) misscheduled++;
      continue;
    }
    desired++;
    const [pod] = present.toSorted(scheduledAndOldFirst);
    if (pod === undefined) continue;
    nextAvailableInMs = soonest(nextAvailableInMs, present, set.spec.minReadySeconds ?? 0, nowMs);
    current++;
    if (isUpdated(pod, set, hash)) updated++;
    if (!isPodReady(pod)) continue;
    ready++;
    if (availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) === 0) available++;
  }
  const observedGeneration = isObserved ? set.metadata.generation : set.status?.observedGeneration;
  const status = {
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(desired === available ? {} : { numberUnavailable: desired - available }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return { status, nextAvailableInMs };
}

function soonest(
  knownMs: number | undefined,
  pods: readonly ReadPod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const waits = pods.map((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length === 0 ? knownMs : Math.min(...waits, knownMs ?? Number.POSITIVE_INFINITY);
}
