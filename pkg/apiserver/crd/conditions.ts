import type { CustomResourceDefinitionCondition } from '../../api/generated/types.ts';
import { formatTime } from '../../api/time.ts';
import type { DeepReadonly } from '../../base/json.ts';

export type ConditionType =
  | 'NamesAccepted'
  | 'Established'
  | 'Terminating'
  | 'NonStructuralSchema'
  | 'KubernetesAPIApprovalPolicyConformant';

export type Condition = CustomResourceDefinitionCondition;

export interface NewCondition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export function findCondition(
  conditions: DeepReadonly<Condition[]> | null | undefined,
  type: ConditionType,
): DeepReadonly<Condition> | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: DeepReadonly<Condition[]> | null | undefined, type: ConditionType): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** The conditions with `next` in them; its time is that of the last change of its status. */
export function withCondition(
  conditions: DeepReadonly<Condition[]> | null | undefined,
  next: NewCondition,
  nowMs: number,
): Condition[] {
  const before = findCondition(conditions, next.type);
  const same = before !== undefined && before.status === next.status && before.lastTransitionTime;
  const condition: Condition = {
    type: next.type,
    status: next.status,
    lastTransitionTime: same || formatTime(nowMs),
    reason: next.reason,
    message: next.message,
  };
  const all = (conditions ?? []).map((one) => (one === before ? condition : { ...one }));
  return before === undefined ? [...all, condition] : all;
}
