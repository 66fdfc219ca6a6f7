import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { podConditionPatch } from '../api/pod-condition.ts';
import { formatTime } from '../api/time.ts';
import type { Clock } from '../base/clock.ts';
import type { DeepReadonly } from '../base/json.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, EventRecorder } from '../client/index.ts';

export interface FailureReportDeps {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why a pod has no node. */
export interface SchedulingFailure {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** The node that room is made on; '' takes an earlier nomination back; undefined leaves it. */
  readonly nominatedNode?: string | undefined;
}

/** Tells a pod's users why it has no node, by an event and by its PodScheduled condition, and where room is being made. */
export function reportFailure(pod: DeepReadonly<Pod>, failure: SchedulingFailure, deps: FailureReportDeps): void {
  const { client, recorder, logger } = deps;
  const { namespace, name, uid } = pod.metadata;
  recorder.event(pod, 'Warning', 'FailedScheduling', failure.message, { action: 'Scheduling' });
  const status = changedStatus(pod, failure, deps.clock.now());
  if (status === undefined) return;
  const patch = { metadata: { uid }, status };
  client
    .patch(resources.pods, { namespace, name }, 'strategic', patch, { subresource: 'status' })
    .catch((error: unknown) => {
      // The pod may be gone, or be another one of the same name by now.
      if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
      logger.warn({ pod: `${namespace}/${name}`, err: error }, 'cannot tell why a pod does not fit');
    });
}

/** What the status lacks; undefined when it says all this already. */
function changedStatus(pod: DeepReadonly<Pod>, failure: SchedulingFailure, nowMs: number): object | undefined {
  const { reason, message, nominatedNode } = failure;
  const known = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
  const sameCondition = known?.status === 'False' && known.reason === reason && known.message === message;
  const sameNomination = nominatedNode === undefined || nominatedNode === (pod.status.nominatedNodeName ?? '');
  if (sameCondition && sameNomination) return undefined;
  const lastTransitionTime = (known?.status === 'False' ? known.lastTransitionTime : undefined) ?? formatTime(nowMs);
  const { status } = podConditionPatch(pod, {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime,
  });
  return { ...status, ...(sameNomination ? {} : { nominatedNodeName: nominatedNode || null }) };
}
