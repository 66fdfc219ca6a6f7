import type { Strategy } from '../definition.ts';
import type { ReplicaSetSpec } from '../generated/types.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPointer, defaultStatus, dropZero } from './shape.ts';

export const replicaSetStrategy: Strategy = {
  default(object) {
    const spec = childObject<ReplicaSetSpec>(object, 'spec');
    dropZero(spec, ['minReadySeconds']);
    defaultPointer(spec, 'replicas', 1);
    defaultPodTemplate(childObject(spec, 'template'));
    defaultStatus(object, { replicas: 0 });
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
};
