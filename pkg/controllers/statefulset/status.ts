import type { StatefulSetStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { availableInMs, type ReadPod } from '../pod-status.ts';
import { type ReadStatefulSet, replicasOf, revisionOf } from './identity.ts';
import { isRunningAndReady, type RevisionNames } from './plan.ts';

export interface Counted {
  readonly status: DeepReadonly<StatefulSetStatus>;
  /** When the next ready pod becomes available. */
  readonly nextAvailableInMs: number | undefined;
}

/** The status that follows from the pods; a finished rolling update makes the new revision the current one. */
export function statefulSetStatus(
  set: ReadStatefulSet,
  pods: readonly ReadPod[],
  names: RevisionNames,
  collisionCount: number,
  nowMs: number,
  replaced: readonly ReadPod[] = [],
): Counted {
  let ready = 0;
  let available = 0;
  let current = 0;
  let updated = 0;
  let nextAvailableInMs: number | undefined;
  for (const pod of pods) {
    if (isRunningAndReady(pod)) {
      ready++;
      const inMs = availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs);
      if (inMs === 0) available++;
      else if (inMs !== undefined) nextAvailableInMs = Math.min(inMs, nextAvailableInMs ?? inMs);
    }
    if (pod.metadata.deletionTimestamp !== undefined || replaced.includes(pod)) continue;
    if (revisionOf(pod) === names.current) current++;
    if (revisionOf(pod) === names.update) updated++;
  }
  const isComplete =
    set.spec.updateStrategy?.type !== 'OnDelete' &&
    [updated, ready, pods.length].every((count) => count === replicasOf(set));
  if (isComplete) current = updated;
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(current === 0 ? {} : { currentReplicas: current }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision: isComplete ? names.update : names.current,
    updateRevision: names.update,
    collisionCount,
    availableReplicas: available,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return { status, nextAvailableInMs };
}
