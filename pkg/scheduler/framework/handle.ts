import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  DeviceClass,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  ResourceResourceClaim,
  ResourceSlice,
  Service,
  StatefulSet,
  StorageClass,
  VolumeAttachment,
} from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client, EventRecorder, Informer } from '../../client/index.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { Nominator } from '../cluster/nominator.ts';
import type { DeviceState } from '../devices/device-state.ts';
import type { Extenders } from '../extenders/extenders.ts';
import type { SchedulerMetrics } from '../metrics.ts';
import type { Framework } from './framework.ts';

/** The objects beside nodes and pods that plugins look at. */
export interface SchedulerInformers {
  readonly namespaces: Informer<Namespace>;
  readonly services: Informer<Service>;
  readonly replicationControllers: Informer<ReplicationController>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly disruptionBudgets: Informer<PodDisruptionBudget>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly storageClasses: Informer<StorageClass>;
  readonly csiNodes: Informer<CSINode>;
  readonly csiDrivers: Informer<CSIDriver>;
  readonly csiStorageCapacities: Informer<CSIStorageCapacity>;
  readonly volumeAttachments: Informer<VolumeAttachment>;
  readonly resourceClaims: Informer<ResourceResourceClaim>;
  readonly resourceSlices: Informer<ResourceSlice>;
  readonly deviceClasses: Informer<DeviceClass>;
}

/** What plugins are made with. Corresponds to upstream's framework.Handle. */
export interface PluginHandle {
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
  readonly informers: SchedulerInformers;
  readonly devices: DeviceState;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SchedulerMetrics;
  readonly extenders: Pick<Extenders, 'narrowPreemption'>;
  /** The profile that the plugin belongs to; there once all plugins are made. */
  readonly framework: () => Framework;
  /** Lets a waiting pod be tried as soon as its back-off allows. */
  readonly activate: (uid: string) => void;
  /** The same for one that a plugin kept out of the queue. */
  readonly ungate: (uid: string) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The labels of a namespace; undefined when it is not known. */
export function namespaceLabels(
  { namespaces }: Pick<SchedulerInformers, 'namespaces'>,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const namespace = namespaces.lister.get(name);
  return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
}
