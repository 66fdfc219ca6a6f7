import type { DownwardAPIVolumeFile, PersistentVolumeClaimSpec, Volume, VolumeProjection } from '../generated/types.ts';
import { defaultPullPolicy } from './image-tag.ts';
import { roundAmounts } from './round-amounts.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';

const defaultFileMode = 0o644;

/** Defaults of a pod's volume. A volume without a source is an emptyDir. */
export function defaultVolume(volume: Volume): void {
  const fields = volume as unknown as Record<string, unknown>;
  let sources = 0;
  for (const key in fields) {
    if (key === 'name') continue;
    if (fields[key] === undefined || fields[key] === null) delete fields[key];
    else sources++;
  }
  if (sources === 0) volume.emptyDir = {};
  if (volume.emptyDir) dropZero(volume.emptyDir, ['medium']);
  if (volume.secret) defaultPointer(volume.secret, 'defaultMode', defaultFileMode);
  if (volume.configMap) defaultPointer(volume.configMap, 'defaultMode', defaultFileMode);
  if (volume.downwardAPI) {
    defaultPointer(volume.downwardAPI, 'defaultMode', defaultFileMode);
    for (const item of volume.downwardAPI.items ?? []) defaultDownwardFile(item);
  }
  if (volume.projected) {
    defaultPointer(volume.projected, 'defaultMode', defaultFileMode);
    defaultPointer(volume.projected, 'sources', null);
    for (const source of volume.projected.sources ?? []) defaultProjection(source);
  }
  if (volume.image) defaultPlain(volume.image, 'pullPolicy', defaultPullPolicy(volume.image.reference));
  if (volume.persistentVolumeClaim) dropZero(volume.persistentVolumeClaim, ['readOnly']);
  if (volume.ephemeral?.volumeClaimTemplate) {
    const template = volume.ephemeral.volumeClaimTemplate;
    childObject(template, 'metadata');
    defaultClaimSpec(childObject(template, 'spec'));
  }
  defaultVolumeSource(fields);
}

/** Defaults of the sources that volumes and persistent volumes share. */
export function defaultVolumeSource(source: Record<string, unknown>): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO, nfs } = source as Record<string, object | undefined>;
  if (hostPath) defaultPointer(hostPath, 'type', '');
  if (nfs) dropZero(nfs, ['readOnly']);
  if (iscsi) defaultPlain(iscsi, 'iscsiInterface', 'default');
  if (rbd) {
    defaultPlain(rbd, 'pool', 'rbd');
    defaultPlain(rbd, 'user', 'admin');
    defaultPlain(rbd, 'keyring', '/etc/ceph/keyring');
  }
  if (azureDisk) {
    defaultPointer(azureDisk, 'cachingMode', 'ReadWrite');
    defaultPointer(azureDisk, 'fsType', 'ext4');
    defaultPointer(azureDisk, 'readOnly', false);
    defaultPointer(azureDisk, 'kind', 'Shared');
  }
  if (scaleIO) {
    defaultPlain(scaleIO, 'storageMode', 'ThinProvisioned');
    defaultPlain(scaleIO, 'fsType', 'xfs');
  }
}

/** Defaults of a claim's spec, also inside templates. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  defaultPointer(spec, 'volumeMode', 'Filesystem');
  const { limits, requests } = childObject<NonNullable<PersistentVolumeClaimSpec['resources']>>(spec, 'resources');
  roundAmounts(limits, requests);
}

function defaultProjection(source: VolumeProjection): void {
  if (source.serviceAccountToken) {
    defaultPointer(source.serviceAccountToken, 'expirationSeconds', 3600);
    dropZero(source.serviceAccountToken, ['audience']);
  }
  for (const item of source.downwardAPI?.items ?? []) defaultDownwardFile(item);
}

function defaultDownwardFile(item: DownwardAPIVolumeFile): void {
  if (item.fieldRef) defaultPlain(item.fieldRef, 'apiVersion', 'v1');
  if (item.resourceFieldRef) defaultPlain(item.resourceFieldRef, 'divisor', '0');
}
