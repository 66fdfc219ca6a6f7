import { resources } from '../../api/generated/resources.ts';
import type { ContainerExtendedResourceRequest, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { type Client, ignoreNotFound, retryOnConflict } from '../../client/index.ts';
import type { Claim } from '../devices/device-id.ts';
import { FINALIZER } from './claim-binding.ts';

/** Makes the claim for a pod's extended resources. */
export function createExtendedClaim({ metadata, spec }: Claim, client: Client, signal: AbortSignal): Promise<Claim> {
  const { namespace, generateName, annotations, ownerReferences } = metadata;
  return client.create(
    resources.resourceclaims,
    { metadata: { namespace, generateName, annotations, ownerReferences }, spec },
    {},
    signal,
  );
}

/** Tells the pod, and by that the kubelet, which containers use which devices of the claim. */
export async function tellPod(
  { metadata }: DeepReadonly<Pod>,
  claim: Claim,
  requestMappings: readonly ContainerExtendedResourceRequest[],
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  const extendedResourceClaimStatus = { requestMappings, resourceClaimName: claim.metadata.name };
  const patch = { metadata: { uid }, status: { extendedResourceClaimStatus } };
  await client.patch(resources.pods, { namespace, name }, 'strategic', patch, { subresource: 'status' }, signal);
}

/** Deletes a claim that the scheduler made, with the finalizer that it set. */
export async function deleteExtendedClaim({ metadata }: Claim, client: Client): Promise<void> {
  const { namespace, name } = metadata;
  await ignoreNotFound(
    retryOnConflict(async () => {
      const latest = await client.get(resources.resourceclaims, { namespace, name });
      const finalizers = (latest.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
      await client.update(resources.resourceclaims, { ...latest, metadata: { ...latest.metadata, finalizers } });
      await client.delete(resources.resourceclaims, { namespace, name });
    }),
  );
}
