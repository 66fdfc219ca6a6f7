import type { DeploymentCondition, DeploymentStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import {
  availableTotal,
  desiredTotal,
  type ReadDeployment,
  type ReadReplicaSet,
  replicasOf,
  rollingLimits,
} from './replica-counts.ts';

type Conditions = readonly DeepReadonly<DeploymentCondition>[];
type Status = DeepReadonly<DeploymentStatus>;

const MAX_INT32 = 2 ** 31 - 1;

export function hasProgressDeadline(deployment: ReadDeployment): boolean {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== MAX_INT32;
}

export function conditionOf(conditions: Conditions | undefined, type: string): Conditions[number] | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The list with the condition put last; unchanged when status and reason are what they were. The transition time is kept
 * when the status is the same.
 */
export function withCondition(
  conditions: Conditions,
  type: string,
  status: string,
  reason: string,
  message: string,
  nowMs: number,
): Conditions {
  const current = conditionOf(conditions, type);
  if (current?.status === status && current.reason === reason) return conditions;
  const now = formatTime(nowMs);
  const lastTransitionTime = (current?.status === status ? current.lastTransitionTime : undefined) ?? now;
  const condition = { type, status, lastUpdateTime: now, lastTransitionTime, reason, message };
  return [...withoutCondition(conditions, type), condition];
}

export function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** Counts and the Available condition. */
export function countedStatus(
  deployment: ReadDeployment,
  sets: readonly ReadReplicaSet[],
  newest: ReadReplicaSet | undefined,
  nowMs: number,
): Status {
  const sum = (field: 'replicas' | 'readyReplicas'): number =>
    sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
  const available = availableTotal(sets);
  const unavailable = Math.max(0, desiredTotal(sets) - available);
  const terminating = sets.reduce<number | undefined>((total, set) => {
    const count = set.status?.terminatingReplicas;
    return count === undefined ? total : (total ?? 0) + count;
  }, undefined);
  const enough = available >= replicasOf(deployment) - rollingLimits(deployment).maxUnavailable;
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum('replicas'),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum('readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: unavailable,
  };
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    conditions: enough
      ? withCondition(
          conditions,
          'Available',
          'True',
          'MinimumReplicasAvailable',
          'Deployment has minimum availability.',
          nowMs,
        )
      : withCondition(
          conditions,
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          nowMs,
        ),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
}

/** The status of a Deployment whose rollout is being worked on: counts and the conditions of its progress. */
export function rolloutStatus(
  deployment: ReadDeployment,
  sets: readonly ReadReplicaSet[],
  newest: ReadReplicaSet | undefined,
  nowMs: number,
): Status {
  const counted = countedStatus(deployment, sets, newest, nowMs);
  let conditions = counted.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  else conditions = withProgress(deployment, counted, newest, nowMs);
  const failure = [...(newest === undefined ? [] : [newest]), ...sets]
    .flatMap((set) => set.status?.conditions ?? [])
    .find((condition) => condition.type === 'ReplicaFailure');
  if (failure === undefined) conditions = withoutCondition(conditions, 'ReplicaFailure');
  else {
    const { status, reason = '', message = '' } = failure;
    conditions = withCondition(conditions, 'ReplicaFailure', status, reason, message, nowMs);
  }
  return { ...counted, conditions };
}

function withProgress(
  deployment: ReadDeployment,
  status: Status,
  newest: ReadReplicaSet | undefined,
  nowMs: number,
): Conditions {
  const conditions = status.conditions ?? [];
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  const wasComplete =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (wasComplete) return conditions;
  const subject =
    newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, 'Progressing', 'True', 'NewReplicaSetAvailable', message, nowMs);
  }
  if (isProgressing(deployment, status)) {
    const now = formatTime(nowMs);
    const since = current?.status === 'True' ? current.lastTransitionTime : undefined;
    return [
      ...withoutCondition(conditions, 'Progressing'),
      {
        type: 'Progressing',
        status: 'True',
        lastUpdateTime: now,
        lastTransitionTime: since ?? now,
        reason: 'ReplicaSetUpdated',
        message: `${subject} is progressing.`,
      },
    ];
  }
  if (!isTimedOut(deployment, conditions, nowMs)) return conditions;
  const message = `${subject} has timed out progressing.`;
  return withCondition(conditions, 'Progressing', 'False', 'ProgressDeadlineExceeded', message, nowMs);
}

export function isComplete(deployment: ReadDeployment, status: Status): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(deployment: ReadDeployment, status: Status): boolean {
  const before = deployment.status ?? {};
  const oldPods = (counts: Status): number => (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(status) < oldPods(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: ReadDeployment, conditions: Conditions, nowMs: number): boolean {
  const condition = conditionOf(conditions, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
  return Date.parse(condition.lastUpdateTime ?? '') + deadlineMs < nowMs;
}

/** When to look again whether the rollout has timed out; undefined: no need. */
export function timeoutCheckInMs(deployment: ReadDeployment, status: Status, nowMs: number): number | undefined {
  const condition = conditionOf(deployment.status?.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || condition === undefined) return undefined;
  // Neither a rollout that has timed out nor one that was complete can time out.
  if (isComplete(deployment, status)) return undefined;
  if (condition.reason === 'ProgressDeadlineExceeded' || condition.reason === 'NewReplicaSetAvailable')
    return undefined;
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
  const afterMs = Date.parse(condition.lastUpdateTime ?? '') + deadlineMs - nowMs;
  return Math.max(afterMs, 0) + 1000;
}

/** The conditions after the Deployment was paused or resumed; undefined: nothing changes. */
export function pauseConditions(deployment: ReadDeployment, nowMs: number): Conditions | undefined {
  if (!hasProgressDeadline(deployment)) return undefined;
  const conditions = deployment.status?.conditions ?? [];
  const current = conditionOf(conditions, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return undefined;
  const noted = current?.reason === 'DeploymentPaused';
  if (deployment.spec.paused === true && !noted) {
    return withCondition(conditions, 'Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', nowMs);
  }
  if (deployment.spec.paused !== true && noted) {
    return withCondition(conditions, 'Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', nowMs);
  }
  return undefined;
}
