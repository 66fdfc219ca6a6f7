/**
 * What is special about each built-in kind: defaults, initial values, validation, rules for updates. Owns no storage and no
 * metadata that is the same for every kind. Corresponds to upstream's pkg/apis (defaults, validation) and pkg/registry
 * (strategies).
 */
import type { Strategy } from '../definition.ts';
import { daemonSetStrategy } from './daemonset.ts';
import { deploymentStrategy } from './deployment.ts';
import { bindingStrategy, podStrategy } from './pod.ts';
import { replicaSetStrategy } from './replicaset.ts';
import { replicationControllerStrategy } from './replicationcontroller.ts';
import { serviceStrategy } from './service.ts';
import { statefulSetStrategy } from './statefulset.ts';

/** Strategies by `group/Kind`; the core group is ''. A kind that is not here has no rules of its own. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  ['/Pod', podStrategy],
  ['/Service', serviceStrategy],
  ['apps/DaemonSet', daemonSetStrategy],
  ['apps/Deployment', deploymentStrategy],
  ['apps/StatefulSet', statefulSetStrategy],
  ['/Binding', bindingStrategy],
  ['/ReplicationController', replicationControllerStrategy],
  ['apps/ReplicaSet', replicaSetStrategy],
]);
