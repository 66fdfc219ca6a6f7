/**
 * What is special about each built-in kind: defaults, initial values, validation, rules for updates. Owns no storage and no
 * metadata that is the same for every kind. Corresponds to upstream's pkg/apis (defaults, validation) and pkg/registry
 * (strategies).
 */
import type { Strategy } from '../definition.ts';
import { configMapStrategy } from './configmap.ts';
import { daemonSetStrategy } from './daemonset.ts';
import { deploymentStrategy } from './deployment.ts';
import { endpointsStrategy } from './endpoints.ts';
import { endpointSliceStrategy } from './endpointslice.ts';
import { eventStrategy, newEventStrategy } from './event.ts';
import { namespaceStrategy } from './namespace.ts';
import { nodeStrategy } from './node.ts';
import { bindingStrategy, podStrategy } from './pod.ts';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac.ts';
import { replicaSetStrategy } from './replicaset.ts';
import { replicationControllerStrategy } from './replicationcontroller.ts';
import { secretStrategy } from './secret.ts';
import { serviceStrategy } from './service.ts';
import { leaseStrategy, podTemplateStrategy, serviceAccountStrategy } from './simple.ts';
import { statefulSetStrategy } from './statefulset.ts';

/** Strategies by `group/Kind`; the core group is ''. A kind that is not here has no rules of its own. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  ['/Binding', bindingStrategy],
  ['/ConfigMap', configMapStrategy],
  ['/Endpoints', endpointsStrategy],
  ['/Event', eventStrategy],
  ['/Namespace', namespaceStrategy],
  ['/Node', nodeStrategy],
  ['/Pod', podStrategy],
  ['/PodTemplate', podTemplateStrategy],
  ['/ReplicationController', replicationControllerStrategy],
  ['/Secret', secretStrategy],
  ['/Service', serviceStrategy],
  ['/ServiceAccount', serviceAccountStrategy],
  ['apps/DaemonSet', daemonSetStrategy],
  ['apps/Deployment', deploymentStrategy],
  ['apps/ReplicaSet', replicaSetStrategy],
  ['apps/StatefulSet', statefulSetStrategy],
  ['coordination.k8s.io/Lease', leaseStrategy],
  ['discovery.k8s.io/EndpointSlice', endpointSliceStrategy],
  ['events.k8s.io/Event', newEventStrategy],
  ['rbac.authorization.k8s.io/ClusterRole', clusterRoleStrategy],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', clusterRoleBindingStrategy],
  ['rbac.authorization.k8s.io/Role', roleStrategy],
  ['rbac.authorization.k8s.io/RoleBinding', roleBindingStrategy],
]);
