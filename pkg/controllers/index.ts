/**
 * The controllers that upstream's kube-controller-manager runs: each reconciles one kind of object through the API. A
 * controller lives in its own folder; deps.ts, discovery/, service/ and workload/ hold what several share.
 */
import type { Component } from '../base/lifecycle.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import type { ControllerCommonDeps } from './deps.ts';
import { newEndpointsController } from './endpoints/endpoints-controller.ts';
import { newEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { newNamespaceController } from './namespace/namespace-controller.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';
import { newRootCAPublisher } from './root-ca/root-ca-publisher.ts';
import { newServiceAccountController } from './serviceaccount/serviceaccount-controller.ts';

export interface ControllersDeps extends ControllerCommonDeps {
  /** The certificates (PEM) that have signed the API server's. */
  readonly rootCA: string;
}

/** All controllers, in the order in which they start. */
export function controllers(deps: ControllersDeps): Component[] {
  return [
    newServiceAccountController(deps),
    newRootCAPublisher(deps),
    newReplicaSetController(deps),
    newDeploymentController(deps),
    newEndpointsController(deps),
    newEndpointSliceController(deps),
    newNamespaceController(deps),
  ];
}
