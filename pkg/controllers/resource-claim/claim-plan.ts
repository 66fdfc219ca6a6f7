import type {
  PodResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
  ResourceResourceClaim,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { ReadPod } from '../pod-status.ts';

export type ReadClaim = DeepReadonly<ResourceResourceClaim>;

/** Names the claim within its pod. */
export const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name';

/** What a pod wants by template and is not told of yet. */
export function wantedTemplates({ spec, status }: ReadPod): readonly DeepReadonly<PodResourceClaim>[] {
  const told = new Set((status?.resourceClaimStatuses ?? []).map(({ name }) => name));
  return (spec.resourceClaims ?? []).filter(
    ({ name, resourceClaimTemplateName }) => resourceClaimTemplateName !== undefined && !told.has(name),
  );
}

/** The uid of the pod that a claim was made for. */
export function ownerUIDs({ metadata }: ReadClaim): readonly string[] {
  return (metadata.ownerReferences ?? [])
    .filter(({ kind, controller }) => kind === 'Pod' && controller)
    .map(({ uid }) => uid);
}

/** The claim that was made for a pod's claim of this name, if that has happened already. */
export function claimFor(name: string, owned: readonly ReadClaim[]): ReadClaim | undefined {
  return owned.find(({ metadata }) => metadata.annotations?.[POD_CLAIM_NAME] === name);
}

/**
 * The status of a claim once a pod of this name has ended; undefined: nothing changes. A claim that was made for a pod and that
 * nobody holds any more gives its devices back.
 */
export function statusWithout(claim: ReadClaim, podName: string): DeepReadonly<ResourceClaimStatus> | undefined {
  const { reservedFor = [], ...status } = claim.status ?? {};
  const isEnded = ({ apiGroup = '', resource, name }: DeepReadonly<ResourceClaimConsumerReference>): boolean =>
    apiGroup === '' && resource === 'pods' && name === podName;
  const left = reservedFor.filter((consumer) => !isEnded(consumer));
  if (left.length === reservedFor.length) return undefined;
  if (left.length > 0) return { ...status, reservedFor: left };
  const { allocation: _, ...free } = status;
  return ownerUIDs(claim).length > 0 ? free : status;
}
