import { resources } from '../../api/generated/resources.ts';
import type { Pod, ResourceResourceClaim } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { type Client, retryOnConflict } from '../../client/index.ts';
import { type Allocation, type Claim, nameOf } from '../devices/device-id.ts';

/** Keeps a claim while it has devices; the claim controller takes it away. */
export const FINALIZER = 'resource.kubernetes.io/delete-protection';

export interface ClaimBindingDeps {
  readonly client: Client;
  readonly clock: Clock;
}

/**
 * Writes a reservation for a pod into a claim, with the allocation where the scheduler has just made it. Returns the claim as
 * the API server has it; throws what the API server says, or an Error when somebody else was faster.
 */
export async function bindClaim(
  claim: Claim,
  allocation: Allocation | undefined,
  pod: DeepReadonly<Pod>,
  { client, clock }: ClaimBindingDeps,
  signal: AbortSignal,
): Promise<Claim> {
  let isFirst = true;
  return retryOnConflict(async () => {
    let latest = isFirst ? claim : await client.get(resources.resourceclaims, keyParts(claim), signal);
    isFirst = false;
    const { metadata, status } = latest;
    if (metadata.deletionTimestamp !== undefined) throw new Error(`claim ${nameOf(claim)} got deleted in the meantime`);
    if (allocation !== undefined) {
      if (status?.allocation !== undefined) {
        throw new Error(`claim ${nameOf(claim)} got allocated elsewhere in the meantime`);
      }
      const finalizers = metadata.finalizers ?? [];
      if (!finalizers.includes(FINALIZER)) {
        const protectedClaim = { ...latest, metadata: { ...metadata, finalizers: [...finalizers, FINALIZER] } };
        latest = await client.update(resources.resourceclaims, draft(protectedClaim), {}, signal);
      }
    }
    const { name, uid } = pod.metadata;
    const given = allocation ?? latest.status?.allocation;
    const reserved = {
      ...latest,
      status: {
        ...latest.status,
        allocation: { ...given, allocationTimestamp: given?.allocationTimestamp ?? formatTime(clock.now()) },
        reservedFor: [...(latest.status?.reservedFor ?? []), { resource: 'pods', name, uid }],
      },
    };
    return client.updateStatus(resources.resourceclaims, draft(reserved), signal);
  });
}

/** Takes a reservation for a pod out of a claim, whatever else has changed in it. */
export async function unbindClaim({ metadata }: Claim, podUID: string, client: Client): Promise<void> {
  const patch = { metadata: { uid: metadata.uid }, status: { reservedFor: [{ $patch: 'delete', uid: podUID }] } };
  await client.patch(resources.resourceclaims, keyParts({ metadata }), 'strategic', patch, { subresource: 'status' });
}

/** Takes the devices away from a claim that nobody else uses. */
export async function deallocateClaim(claim: Claim, client: Client): Promise<Claim> {
  return client.updateStatus(resources.resourceclaims, draft({ ...claim, status: {} }));
}

function keyParts({ metadata }: Pick<Claim, 'metadata'>): { namespace: string; name: string } {
  return { namespace: metadata.namespace, name: metadata.name };
}

function draft(claim: Claim): Draft<ResourceResourceClaim> {
  return claim as Draft<ResourceResourceClaim>;
}
