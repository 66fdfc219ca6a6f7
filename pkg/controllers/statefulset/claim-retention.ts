import type { OwnerReference } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { ReadPod } from '../pod-status.ts';
import type { ReadClaim, ReadStatefulSet } from './identity.ts';

type References = readonly DeepReadonly<OwnerReference>[];

/**
 * The owner references that a claim is to have: the set (or the pod that goes away) where the policy says Delete, so that
 * the claim goes with it. Undefined: it has them, or somebody else manages the claim.
 */
export function claimOwners(
  set: ReadStatefulSet,
  claim: ReadClaim,
  pod: ReadPod | undefined,
  isScaledDown: boolean,
): References | undefined {
  const present: References = claim.metadata.ownerReferences ?? [];
  const isOurs = ({ uid, kind, name }: DeepReadonly<OwnerReference>): boolean =>
    uid === set.metadata.uid ||
    (pod !== undefined && uid === pod.metadata.uid) ||
    (kind === 'Pod' && name === pod?.metadata.name);
  if (present.some((reference) => reference.controller === true && !isOurs(reference))) return undefined;
  const others = present.filter((reference) => !isOurs(reference));
  const wanted = [...others, ...ownersByPolicy(set, pod, isScaledDown)];
  const isSame = wanted.length === present.length && wanted.every(({ uid }, index) => present[index]?.uid === uid);
  return isSame ? undefined : wanted;
}

function ownersByPolicy(set: ReadStatefulSet, pod: ReadPod | undefined, isScaledDown: boolean): References {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  if (isScaledDown && whenScaled === 'Delete' && pod !== undefined) {
    return [reference('v1', 'Pod', pod.metadata.name, pod.metadata.uid)];
  }
  return whenDeleted === 'Delete' ? [reference('apps/v1', 'StatefulSet', set.metadata.name, set.metadata.uid)] : [];
}

function reference(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
