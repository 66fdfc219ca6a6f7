import type {
  Pod,
  PodResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
  ResourceResourceClaim,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';

export type ReadClaim = DeepReadonly<ResourceResourceClaim>;
export type Consumer = DeepReadonly<ResourceClaimConsumerReference>;

/** Names the claim within its pod. */
export const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name';
/** Set by the scheduler with the first allocation. */
export const FINALIZER = 'resource.kubernetes.io/delete-protection';
/** What a name of 63 characters has for the part before the random one. */
const MAX_BASE_LENGTH = 57;

/** What a pod wants by template and does not have: nothing was made, or it is gone, or another pod's. */
export function wantedTemplates(
  { metadata, spec, status }: ReadPod,
  claim: (name: string) => ReadClaim | undefined,
): readonly DeepReadonly<PodResourceClaim>[] {
  const told = new Map((status?.resourceClaimStatuses ?? []).map((one) => [one.name, one.resourceClaimName]));
  return (spec.resourceClaims ?? []).filter(({ name, resourceClaimTemplateName }) => {
    if (resourceClaimTemplateName === undefined) return false;
    if (!told.has(name)) return true;
    const made = told.get(name);
    // Without a name there was no need of a claim.
    if (made === undefined) return false;
    const found = claim(made);
    return found === undefined || !ownerUIDs(found).includes(metadata.uid);
  });
}

/** The names of the claims that a pod has, as far as they are known. */
export function claimNames({ spec, status }: ReadPod): readonly string[] {
  const made = new Map((status?.resourceClaimStatuses ?? []).map((one) => [one.name, one.resourceClaimName]));
  const names = (spec.resourceClaims ?? []).map(({ name, resourceClaimName }) => resourceClaimName ?? made.get(name));
  return [...names, status?.extendedResourceClaimStatus?.resourceClaimName].filter((name) => name !== undefined);
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

/** `pod-claim-`, both cut in proportion when they are too long together. */
export function generateName(pod: string, claim: string): string {
  const full = `${pod}-${claim}-`;
  if (full.length <= MAX_BASE_LENGTH) return full;
  const cut = (text: string): string => text.slice(0, Math.floor((text.length * MAX_BASE_LENGTH) / full.length));
  return `${cut(pod)}-${cut(claim)}`;
}

/** None of the pod's containers runs, and none ever will. */
export function isDone(pod: DeepReadonly<Pod>): boolean {
  return isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);
}

/**
 * The status of a claim that only these consumers still use; undefined: nothing changes. Devices that nobody uses are given back
 * with the last consumer, or when the claim is being deleted.
 */
export function statusFor(claim: ReadClaim, left: readonly Consumer[]): DeepReadonly<ResourceClaimStatus> | undefined {
  const { reservedFor = [], ...status } = claim.status ?? {};
  const isFewer = left.length < reservedFor.length;
  const isFree = left.length === 0 && isProtected(claim) && (isFewer || claim.metadata.deletionTimestamp !== undefined);
  if (isFree && (isFewer || status.allocation !== undefined)) {
    const { allocation: _, devices: __, ...rest } = status;
    return rest;
  }
  if (!isFewer) return undefined;
  return left.length === 0 ? status : { ...status, reservedFor: left };
}

export function isProtected({ metadata }: ReadClaim): boolean {
  return (metadata.finalizers ?? []).includes(FINALIZER);
}
