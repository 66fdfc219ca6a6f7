import type { DeepReadonly } from '../base/json.ts';
import type { Pod, PodCondition } from './generated/types.ts';

export type NewPodCondition = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'>;

/**
 * The strategic merge patch of a pod's status that sets one condition, judged by the pod as it is given; like the patches of
 * upstream's controllers it keeps the others in their order and puts a new one last.
 */
export function podConditionPatch({ metadata, status }: DeepReadonly<Pod>, condition: NewPodCondition): PodStatusPatch {
  const { uid, generation } = metadata;
  const types = (status?.conditions ?? []).map(({ type }) => type);
  const order = types.includes(condition.type) ? types : [...types, condition.type];
  return {
    metadata: { uid },
    status: {
      '$setElementOrder/conditions': order.map((type) => ({ type })),
      conditions: [
        { lastProbeTime: null, ...condition, ...(generation === undefined ? {} : { observedGeneration: generation }) },
      ],
    },
  };
}

export interface PodStatusPatch {
  readonly metadata: { readonly uid: string };
  readonly status: Readonly<Record<string, unknown>>;
}
