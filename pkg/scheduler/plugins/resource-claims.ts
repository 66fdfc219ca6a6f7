import type { Pod, PodResourceClaim } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ClaimTracker } from '../devices/claim-tracker.ts';
import { type Claim, nameOf } from '../devices/device-id.ts';

type ReadPod = DeepReadonly<Pod>;

/** The claims of a pod, or why it has to wait, in upstream's words. Templates that needed no claim are left out. */
export function claimsOfPod(
  pod: ReadPod,
  tracker: Pick<ClaimTracker, 'get'>,
): { readonly claims: readonly Claim[] } | { readonly problem: string } {
  const claims: Claim[] = [];
  for (const wanted of pod.spec.resourceClaims ?? []) {
    const named = claimName(pod, wanted);
    if ('problem' in named) return named;
    if (named.name === undefined) continue;
    const key = `${pod.metadata.namespace}/${named.name}`;
    const claim = tracker.get(key);
    if (claim === undefined) return { problem: `could not find ResourceClaim ${JSON.stringify(key)}` };
    if (claim.metadata.deletionTimestamp !== undefined) {
      return { problem: `resourceclaim ${JSON.stringify(named.name)} is being deleted` };
    }
    if (named.isGenerated && !isOwnedBy(claim, pod)) {
      const { namespace, name } = pod.metadata;
      return {
        problem: `ResourceClaim ${nameOf(claim)} was not created for Pod ${namespace}/${name} (Pod is not owner)`,
      };
    }
    claims.push(claim);
  }
  return { claims };
}

function claimName(
  { metadata, status }: ReadPod,
  { name, resourceClaimName, resourceClaimTemplateName }: DeepReadonly<PodResourceClaim>,
): { readonly name: string | undefined; readonly isGenerated: boolean } | { readonly problem: string } {
  if (resourceClaimName !== undefined) return { name: resourceClaimName, isGenerated: false };
  const pod = `pod "${metadata.namespace}/${metadata.name}"`;
  if (resourceClaimTemplateName === undefined) {
    return {
      problem: `${pod}, spec.resourceClaim ${JSON.stringify(name)}: none of the supported fields are set`,
    };
  }
  const made = status.resourceClaimStatuses?.find((one) => one.name === name);
  return made === undefined
    ? { problem: `${pod}: ResourceClaim not created yet` }
    : { name: made.resourceClaimName, isGenerated: true };
}

function isOwnedBy({ metadata }: Claim, { metadata: pod }: ReadPod): boolean {
  return (metadata.ownerReferences ?? []).some(({ controller, uid }) => controller === true && uid === pod.uid);
}

export function isReservedFor({ status }: Claim, podUID: string): boolean {
  return (status?.reservedFor ?? []).some(({ uid }) => uid === podUID);
}
