import { resources } from '../../api/generated/resources.ts';
import type { ReplicaSet, ReplicationController } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { newReplicaController } from '../replica-controller.ts';

/** Keeps as many pods of each ReplicationController as its spec wants. */
export function newReplicationController(deps: ControllerCommonDeps): Component {
  return newReplicaController('replication-controller', { type: resources.replicationcontrollers, view }, deps);
}

/** Its selector is a plain set of labels; all else is as in a ReplicaSet. */
function view(owner: DeepReadonly<ReplicationController>): DeepReadonly<ReplicaSet> {
  const { selector, ...spec } = owner.spec ?? {};
  return { ...owner, spec: { ...spec, selector: { matchLabels: selector ?? {} } } };
}
