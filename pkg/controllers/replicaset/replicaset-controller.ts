import { resources } from '../../api/generated/resources.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { newReplicaController } from '../replica-controller.ts';

/** Keeps as many pods of each ReplicaSet as its spec wants. */
export function newReplicaSetController(deps: ControllerCommonDeps): Component {
  return newReplicaController('replicaset-controller', { type: resources.replicasets, view: (set) => set }, deps);
}
