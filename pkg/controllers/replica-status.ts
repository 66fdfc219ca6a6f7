import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { matchesLabels } from '../api/selector.ts';
import { formatTime } from '../api/time.ts';
import { messageOf } from './pod-control.ts';
import { availableInMs, isPodReady, type ReadPod } from './pod-status.ts';

export interface Counted {
  readonly status: DeepReadonly<ReplicaSetStatus>;
  /** When the next ready pod becomes available. */
  readonly nextAvailableInMs: number | undefined;
}

/** The status that follows from the pods; `failure` is what went wrong when creating (`missing` > 0) or deleting pods. */
export function replicaSetStatus(
  set: DeepReadonly<ReplicaSet>,
  active: readonly ReadPod[],
  terminating: number,
  failure: { readonly error: unknown; readonly missing: number } | undefined,
  nowMs: number,
): Counted {
  const templateLabels = set.spec.template?.metadata?.labels ?? {};
  let fullyLabeled = 0;
  let ready = 0;
  let available = 0;
  let nextAvailableInMs: number | undefined;
  for (const pod of active) {
    if (matchesLabels(templateLabels, pod.metadata.labels)) fullyLabeled++;
    if (!isPodReady(pod)) continue;
    ready++;
    const inMs = availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs);
    if (inMs === 0) available++;
    else if (inMs !== undefined) nextAvailableInMs = Math.min(inMs, nextAvailableInMs ?? inMs);
  }
  const conditions = conditionsAfter(set.status?.conditions ?? [], failure, nowMs);
  const status = {
    replicas: active.length,
    ...(fullyLabeled === 0 ? {} : { fullyLabeledReplicas: fullyLabeled }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    terminatingReplicas: terminating,
    ...(conditions.length === 0 ? {} : { conditions }),
    observedGeneration: set.metadata.generation ?? 0,
  };
  return { status, nextAvailableInMs };
}

function conditionsAfter(
  conditions: readonly DeepReadonly<ReplicaSetCondition>[],
  failure: { readonly error: unknown; readonly missing: number } | undefined,
  nowMs: number,
): readonly DeepReadonly<ReplicaSetCondition>[] {
  const present = conditions.some(({ type }) => type === 'ReplicaFailure');
  if (failure === undefined) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
  if (present) return conditions;
  return [
    ...conditions,
    {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: formatTime(nowMs),
      reason: failure.missing > 0 ? 'FailedCreate' : 'FailedDelete',
      message: messageOf(failure.error),
    },
  ];
}
