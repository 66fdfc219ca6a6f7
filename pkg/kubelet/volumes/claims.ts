import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { PersistentVolumeClaim as ApiClaim, PersistentVolume as ApiVolume } from '../../api/generated/types.ts';
import { matchesNodeSelector } from '../../api/scheduling/node-selector.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { Node, Pod, Volume } from '../types.ts';
import { VolumeError } from './volume.ts';

export type Claim = DeepReadonly<ApiClaim>;
export type PersistentVolume = DeepReadonly<ApiVolume>;

export interface BoundClaim {
  readonly claim: Claim;
  readonly persistentVolume: PersistentVolume;
  /** The pod wants it read-only. */
  readonly readOnly: boolean;
}

/** The claim that a volume of a pod names, or that is made for it; undefined when it needs none. */
export function claimName(pod: Pod, volume: Volume): string | undefined {
  if (volume.ephemeral !== undefined) return `${pod.metadata.name}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

/** Reads the claim of a pod's volume and the PersistentVolume that it is bound to. Throws a VolumeError where upstream does. */
export async function boundClaim(pod: Pod, volume: Volume, client: Client): Promise<BoundClaim> {
  const { namespace } = pod.metadata;
  const name = claimName(pod, volume) ?? '';
  try {
    const claim = await fetched('PVC', () => client.get(resources.persistentvolumeclaims, { namespace, name }));
    if (volume.ephemeral !== undefined) checkOwner(claim, pod);
    const volumeName = checkClaim(claim);
    const what = `PV ${volumeName}`;
    const persistentVolume = await fetched(what, () => client.get(resources.persistentvolumes, { name: volumeName }));
    checkBinding(claim, persistentVolume);
    checkMode(pod, volume, persistentVolume);
    return { claim, persistentVolume, readOnly: volume.persistentVolumeClaim?.readOnly === true };
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    throw new VolumeError(`error processing PVC ${namespace}/${name}: ${error.message}`, 'process', { cause: error });
  }
}

async function fetched<T>(what: string, get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (error) {
    if (!isStatusError(error)) throw error;
    throw new VolumeError(`failed to fetch ${what} from API server: ${error.message}`, 'process', { cause: error });
  }
}

function checkOwner({ metadata }: Claim, pod: Pod): void {
  const owned = metadata.ownerReferences?.some(
    ({ uid, controller }) => uid === pod.metadata.uid && controller === true,
  );
  if (owned === true) return;
  const { name, namespace } = pod.metadata;
  const text = `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${namespace}/${name} (pod is not owner)`;
  throw new VolumeError(text, 'process');
}

function checkClaim({ metadata, spec, status }: Claim): string {
  if (metadata.deletionTimestamp !== undefined) throw new VolumeError('PVC is being deleted', 'process');
  if (status?.phase !== 'Bound') throw new VolumeError('PVC is not bound', 'process');
  if (!spec?.volumeName) throw new VolumeError('PVC has empty pvc.Spec.VolumeName', 'process');
  return spec.volumeName;
}

function checkBinding(claim: Claim, { metadata, spec }: PersistentVolume): void {
  const { uid } = claim.metadata;
  const found = `found PV object ${metadata.name} but`;
  if (spec?.claimRef === undefined) {
    const text = `${found} it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`;
    throw new VolumeError(text, 'process');
  }
  if (spec.claimRef.uid !== uid) {
    const text = `${found} its pv.Spec.ClaimRef.UID ${spec.claimRef.uid} does not point to claim.UID ${uid}`;
    throw new VolumeError(text, 'process');
  }
}

function checkMode(pod: Pod, volume: Volume, { spec }: PersistentVolume): void {
  const mode = spec?.volumeMode ?? 'Filesystem';
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const uses = (list: 'volumeMounts' | 'volumeDevices'): boolean =>
    containers.some((container) => container[list]?.some(({ name }) => name === volume.name));
  const refuse = (list: string): never => {
    throw new VolumeError(`volume ${volume.name} has volumeMode ${mode}, but is specified in ${list}`, 'process');
  };
  if (mode !== 'Filesystem' && uses('volumeMounts')) refuse('volumeMounts');
  if (mode !== 'Block' && uses('volumeDevices')) refuse('volumeDevices');
}

/** A PersistentVolume may be bound to nodes. Throws a VolumeError for another one. */
export function checkNodeAffinity({ spec }: PersistentVolume, node: Node | undefined): void {
  const required = spec?.nodeAffinity?.required;
  if (required === undefined || node === undefined) return;
  if (matchesNodeSelector(required, { name: node.metadata.name, labels: node.metadata.labels ?? {} })) return;
  throw new VolumeError('no matching NodeSelectorTerms', 'NodeAffinity check');
}
