import { resources } from '../api/generated/resources.ts';
import type { ResourceType } from '../api/object.ts';
import type { Informer, Informers } from '../client/index.ts';
import type { SchedulerInformers } from './framework/handle.ts';

/** What plugins look into beside nodes and pods. */
export const schedulerResources = {
  namespaces: resources.namespaces,
  services: resources.services,
  replicationControllers: resources.replicationcontrollers,
  replicaSets: resources.replicasets,
  statefulSets: resources.statefulsets,
  disruptionBudgets: resources.poddisruptionbudgets,
  claims: resources.persistentvolumeclaims,
  volumes: resources.persistentvolumes,
  storageClasses: resources.storageclasses,
  csiNodes: resources.csinodes,
  csiDrivers: resources.csidrivers,
  csiStorageCapacities: resources.csistoragecapacities,
  volumeAttachments: resources.volumeattachments,
  resourceClaims: resources.resourceclaims,
  resourceSlices: resources.resourceslices,
  deviceClasses: resources.deviceclasses,
};

/** The informers that plugins look into, out of the process's shared ones. */
export function schedulerInformers(informers: Informers): SchedulerInformers {
  const found: Partial<Record<keyof SchedulerInformers, Informer<unknown>>> = {};
  for (const [name, type] of Object.entries(schedulerResources)) {
    found[name as keyof SchedulerInformers] = informers.for(type as ResourceType<unknown>);
  }
  return found as SchedulerInformers;
}

/** Resolves when all of them have their first list. */
export async function synced(informers: SchedulerInformers, signal: AbortSignal): Promise<void> {
  const all = Object.values(informers) as readonly Pick<Informer<unknown>, 'synced'>[];
  await Promise.all(all.map((informer) => informer.synced(signal)));
}
