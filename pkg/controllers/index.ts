/**
 * The controllers that upstream's kube-controller-manager runs: each reconciles one kind of object through the API. A
 * controller lives in its own folder; workload/ holds what those that own pods share. No controller imports another.
 */
import type { Component } from '../base/lifecycle.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import type { ControllerCommonDeps } from './deps.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';

export type ControllersDeps = ControllerCommonDeps;

/** All controllers, in the order in which they start. */
export function controllers(deps: ControllersDeps): Component[] {
  return [newReplicaSetController(deps), newDeploymentController(deps)];
}
