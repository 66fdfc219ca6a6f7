import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { SchedulerInformers } from '../framework/handle.ts';
import type { PodInfo } from '../framework/pod-info.ts';

export type Claim = DeepReadonly<PersistentVolumeClaim>;

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

export function claimKey({ metadata }: Claim): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Bound on both sides, as the volume controller confirms it. */
export function isFullyBound({ metadata, spec }: Claim): boolean {
  return Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

export function className({ metadata, spec }: Claim): string {
  return metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '';
}

export function classOf(
  claim: Claim,
  { storageClasses }: Pick<SchedulerInformers, 'storageClasses'>,
): DeepReadonly<StorageClass> | undefined {
  return storageClasses.lister.get(className(claim));
}

/** The volume is to be found or made once it is known where the pod goes. */
export function waitsForConsumer(claim: Claim, informers: Pick<SchedulerInformers, 'storageClasses'>): boolean {
  return classOf(claim, informers)?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** The pod's claims, or why one of them cannot be used (upstream's texts). */
export function usableClaims(
  { pod, claims: keys }: PodInfo,
  { claims }: Pick<SchedulerInformers, 'claims'>,
): { readonly claims: readonly Claim[] } | { readonly problem: string } {
  const { namespace, name, uid } = pod.metadata;
  const ephemeral = new Set(
    (pod.spec.volumes ?? [])
      .filter((one) => one.ephemeral !== undefined)
      .map((one) => `${namespace}/${name}-${one.name}`),
  );
  const found: Claim[] = [];
  for (const key of keys) {
    const claim = claims.lister.get(key);
    const short = key.slice(key.indexOf('/') + 1);
    if (claim === undefined) {
      const problem = ephemeral.has(key)
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${short}"`
        : `persistentvolumeclaim "${short}" not found`;
      return { problem };
    }
    if (claim.status?.phase === 'Lost') {
      const volume = claim.spec.volumeName ?? '';
      return { problem: `persistentvolumeclaim "${short}" bound to non-existent persistentvolume "${volume}"` };
    }
    if (claim.metadata.deletionTimestamp !== undefined) {
      return { problem: `persistentvolumeclaim "${short}" is being deleted` };
    }
    const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (ephemeral.has(key) && owner?.uid !== uid) {
      return { problem: `PVC ${key} was not created for pod ${namespace}/${name} (pod is not owner)` };
    }
    found.push(claim);
  }
  return { claims: found };
}
