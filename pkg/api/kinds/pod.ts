import type { Strategy } from '../definition.ts';
import type { Pod, PodSpec, PodStatus } from '../generated/types.ts';
import { defaultPodOnly, defaultPodSpec } from './pod-defaults.ts';
import { podQOS } from './pod-qos.ts';
import { childObject } from './shape.ts';

export const podStrategy: Strategy = {
  default(object) {
    const spec = childObject<PodSpec>(object, 'spec');
    defaultPodSpec(spec);
    defaultPodOnly(spec);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = initialPodStatus(object as unknown as Pod);
  },
};

function initialPodStatus(pod: Pod): PodStatus {
  const status: PodStatus = { phase: 'Pending', qosClass: podQOS(pod.spec) };
  if ((pod.spec.schedulingGates?.length ?? 0) > 0) {
    status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  return status;
}
