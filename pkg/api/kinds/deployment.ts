import type { Strategy } from '../definition.ts';
import type { Deployment, DeploymentSpec } from '../generated/types.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';

export const deploymentStrategy: Strategy = {
  default(object) {
    defaultDeploymentSpec(childObject(object as unknown as Deployment, 'spec'));
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
};

function defaultDeploymentSpec(spec: DeploymentSpec): void {
  dropZero(spec, ['minReadySeconds', 'paused']);
  defaultPointer(spec, 'replicas', 1);
  defaultPointer(spec, 'revisionHistoryLimit', 10);
  defaultPointer(spec, 'progressDeadlineSeconds', 600);
  const strategy = childObject<NonNullable<DeploymentSpec['strategy']>>(spec, 'strategy');
  defaultPlain(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = childObject(strategy, 'rollingUpdate');
    defaultPointer(rolling, 'maxUnavailable', '25%');
    defaultPointer(rolling, 'maxSurge', '25%');
  }
  defaultPodTemplate(childObject(spec, 'template'));
}
