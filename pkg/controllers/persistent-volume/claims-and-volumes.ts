import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { quantityValue } from '../../api/quantity.ts';

export type Claim = DeepReadonly<PersistentVolumeClaim>;
export type Volume = DeepReadonly<PersistentVolume>;
export type Class = DeepReadonly<StorageClass>;

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

export function claimKey({ metadata }: Claim): string {
  return `${metadata.namespace}/${metadata.name}`;
}

export function classNameOf({ metadata, spec }: Claim | Volume): string {
  return metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '';
}

/** The claim says nothing about its class: it gets the default one as soon as there is one. */
export function hasNoClass({ metadata, spec }: Claim): boolean {
  return metadata.annotations?.[BETA_CLASS] === undefined && spec.storageClassName === undefined;
}

/** In bytes. */
export function capacityOf({ spec }: Volume): number {
  return quantityValue(spec.capacity?.['storage'] ?? '0');
}

/** In bytes. */
export function requestOf({ spec }: Claim): number {
  return quantityValue(spec.resources?.requests?.['storage'] ?? '0');
}

/** The volume names the claim, and not an earlier one of the same name. */
export function isReservedFor(volume: Volume, claim: Claim): boolean {
  const { claimRef } = volume.spec;
  if (claimRef === undefined) return false;
  if (claimRef.name !== claim.metadata.name || claimRef.namespace !== claim.metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === claim.metadata.uid;
}

export function sameVolumeMode(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem');
}

export function hasAnnotation(object: Claim | Volume, name: string): boolean {
  return object.metadata.annotations?.[name] !== undefined;
}
