import type { PersistentVolume, StorageClass } from '../../api/generated/types.ts';
import { quantityValue } from '../../api/quantity.ts';
import { matchesNodeSelector } from '../../api/scheduling/node-selector.ts';
import { matchesLabelSelector, matchesRequirements } from '../../api/selector.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { SchedulerInformers } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { type Claim, claimKey, className } from './volume-claims.ts';

export type Volume = DeepReadonly<PersistentVolume>;

const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

/** Whether a volume can be used on a node (local volumes can on one only). */
export function reachable({ spec }: Volume, node: NodeInfo): boolean {
  const required = spec.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

/**
 * The smallest available volume that a claim can be bound to on a node; one that is reserved for the claim comes first.
 * Upstream: volume.FindMatchingVolume with delayed binding.
 */
export function findVolume(
  claim: Claim,
  node: NodeInfo,
  volumes: Iterable<Volume>,
  isTaken: (volume: Volume) => boolean,
): Volume | undefined {
  const wanted = requestedBytes(claim);
  const wantedClass = className(claim);
  let best: Volume | undefined;
  let bestBytes = Number.POSITIVE_INFINITY;
  for (const volume of volumes) {
    const { spec, metadata, status } = volume;
    if (metadata.deletionTimestamp !== undefined || isTaken(volume) || !sameMode(claim, volume)) continue;
    const bytes = quantityValue(spec.capacity?.['storage'] ?? '0');
    if (bytes < wanted || !reachable(volume, node)) continue;
    const { claimRef } = spec;
    if (claimRef !== undefined) {
      const ours =
        `${claimRef.namespace}/${claimRef.name}` === claimKey(claim) &&
        (!claimRef.uid || claimRef.uid === claim.metadata.uid);
      if (ours) return volume;
      continue;
    }
    if (status?.phase !== 'Available' || (spec.storageClassName ?? '') !== wantedClass) continue;
    if (claim.spec.selector !== undefined && !matchesLabelSelector(claim.spec.selector, metadata.labels)) continue;
    if (!(claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) continue;
    if (bytes < bestBytes) {
      best = volume;
      bestBytes = bytes;
    }
  }
  return best;
}

export function requestedBytes({ spec }: Claim): number {
  return quantityValue(spec.resources?.requests?.['storage'] ?? '0');
}

function sameMode(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem');
}

/** Whether a provisioner could make a volume for a claim on a node, by what its class and the driver's capacities say. */
export function canProvision(
  claim: Claim,
  storageClass: DeepReadonly<StorageClass> | undefined,
  node: NodeInfo,
  informers: Pick<SchedulerInformers, 'csiDrivers' | 'csiStorageCapacities'>,
): 'yes' | 'no' | 'not enough space' {
  if (storageClass === undefined || !storageClass.provisioner || storageClass.provisioner === NO_PROVISIONER)
    return 'no';
  const topologies = storageClass.allowedTopologies ?? [];
  const allowed =
    topologies.length === 0 ||
    topologies.some(({ matchLabelExpressions = [] }) =>
      matchesRequirements(
        matchLabelExpressions.map(({ key, values }) => ({ key, operator: 'In', values })),
        node.labels,
      ),
    );
  if (!allowed) return 'no';
  if (informers.csiDrivers.lister.get(storageClass.provisioner)?.spec.storageCapacity !== true) return 'yes';
  const wanted = requestedBytes(claim);
  for (const capacity of informers.csiStorageCapacities.lister.list()) {
    if (capacity.storageClassName !== storageClass.metadata.name) continue;
    const limit = capacity.maximumVolumeSize ?? capacity.capacity;
    if (limit === undefined || quantityValue(limit) < wanted) continue;
    if (matchesLabelSelector(capacity.nodeTopology, node.labels)) return 'yes';
  }
  return 'not enough space';
}
