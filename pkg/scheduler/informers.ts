import { resources } from '../api/generated/resources.ts';
import type { Informer, Informers } from '../client/index.ts';
import type { SchedulerInformers } from './framework/handle.ts';

/** The informers that plugins look into, out of the process's shared ones. */
export function schedulerInformers(informers: Informers): SchedulerInformers {
  return {
    namespaces: informers.for(resources.namespaces),
    services: informers.for(resources.services),
    replicationControllers: informers.for(resources.replicationcontrollers),
    replicaSets: informers.for(resources.replicasets),
    statefulSets: informers.for(resources.statefulsets),
    disruptionBudgets: informers.for(resources.poddisruptionbudgets),
    claims: informers.for(resources.persistentvolumeclaims),
    volumes: informers.for(resources.persistentvolumes),
    storageClasses: informers.for(resources.storageclasses),
    csiNodes: informers.for(resources.csinodes),
    csiDrivers: informers.for(resources.csidrivers),
    csiStorageCapacities: informers.for(resources.csistoragecapacities),
    volumeAttachments: informers.for(resources.volumeattachments),
  };
}

/** Resolves when all of them have their first list. */
export async function synced(informers: SchedulerInformers, signal: AbortSignal): Promise<void> {
  const all = Object.values(informers) as readonly Pick<Informer<unknown>, 'synced'>[];
  await Promise.all(all.map((informer) => informer.synced(signal)));
}
