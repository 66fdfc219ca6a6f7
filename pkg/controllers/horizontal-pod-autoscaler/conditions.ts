import type { HorizontalPodAutoscalerCondition } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';

type Conditions = readonly DeepReadonly<HorizontalPodAutoscalerCondition>[];
export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';

/**
 * The conditions with one set. Its time changes with its status, compared with what it was before the pass began (`stored`): on
 * the way to the end of a pass it may change back and forth.
 */
export function withCondition(
  conditions: Conditions,
  stored: Conditions,
  next: { readonly type: ConditionType; readonly isTrue: boolean; readonly reason: string; readonly message: string },
  nowMs: number,
): Conditions {
  const { type, isTrue, reason, message } = next;
  const status = isTrue ? 'True' : 'False';
  const before = stored.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
  const condition = { type, status, lastTransitionTime, reason, message };
  return conditions.some((one) => one.type === type)
    ? conditions.map((one) => (one.type === type ? condition : one))
    : [...conditions, condition];
}
