import type { DeepReadonly } from '../../base/json.ts';
import type { Volume } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isDNS1123Subdomain } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, localDescendingPath, oneOf } from '../validation/values.ts';
import { validateClaimTemplate } from './claim-validation.ts';
import { fileMode, validateDownwardFile, validateItems, validateProjected } from './projected-validation.ts';
import {
  checkAzureDisk,
  checkDriverName,
  checkFC,
  checkFlexVolume,
  checkFlocker,
  checkHostPath,
  checkISCSI,
  checkNFS,
  checkPartition,
  checkQuobyte,
  checkReference,
  checkStorageOS,
  isPortalTooLong,
  portalTooLongText,
  requireFields,
} from './volume-source-checks.ts';
import { type VolumeSources, validateOneSource, volumeSourceMakers, volumeSources } from './volume-sources.ts';

type FieldError = field.FieldError;
type VolumeView = DeepReadonly<Volume>;

/** What is known of the pod's volumes after their validation: those without errors, by name. */
export type KnownVolumes = ReadonlyMap<string, VolumeView>;

const { source, requiring } = volumeSourceMakers<Volume>();

/** Every source in the order in which upstream looks at them: the first one counts, further ones are refused. */
const sources: VolumeSources<Volume> = volumeSources([
  source('emptyDir', ({ sizeLimit }, path) =>
    sizeLimit !== undefined && quantitySign(sizeLimit) < 0
      ? [field.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  ),
  source('hostPath', checkHostPath),
  source('gitRepo', (value, path) => [
    ...requireFields(value, ['repository'], path),
    ...localDescendingPath(value.directory ?? '', `${path}.directory`),
  ]),
  source(
    'gcePersistentDisk',
    (value, path) => [...requireFields(value, ['pdName'], path), ...checkPartition(value.partition, path)],
    { at: 'persistentDisk' },
  ),
  source('awsElasticBlockStore', (value, path) => [
    ...requireFields(value, ['volumeID'], path),
    ...checkPartition(value.partition, path),
  ]),
  source('secret', (value, path) => [
    ...requireFields(value, ['secretName'], path),
    ...fileMode(value.defaultMode, `${path}.defaultMode`),
    ...validateItems(value.items, `${path}.items`),
  ]),
  source('nfs', checkNFS),
  source('iscsi', (value, path) => checkISCSI(value, 'must be valid format starting with iqn, eui, or naa', path)),
  requiring('glusterfs', 'endpoints', 'path'),
  source('flocker', checkFlocker),
  requiring('persistentVolumeClaim', 'claimName'),
  requiring('rbd', 'monitors', 'image'),
  source('cinder', (value, path) => [
    ...requireFields(value, ['volumeID'], path),
    ...checkReference(value.secretRef, ['name'], `${path}.secretRef`),
  ]),
  source('cephfs', (value, path) => requireFields(value, ['monitors'], path), { secondAt: 'cephFS' }),
  source('quobyte', checkQuobyte),
  source(
    'downwardAPI',
    (value, path) => [
      ...fileMode(value.defaultMode, `${path}.defaultMode`),
      ...(value.items ?? []).flatMap((file) => validateDownwardFile(file, path)),
    ],
    { secondAt: 'downwarAPI' },
  ),
  source('fc', checkFC),
  source('flexVolume', checkFlexVolume),
  source('configMap', (value, path) => [
    ...requireFields(value, ['name'], path),
    ...fileMode(value.defaultMode, `${path}.defaultMode`),
    ...validateItems(value.items, `${path}.items`),
  ]),
  requiring('azureFile', 'secretName', 'shareName'),
  requiring('vsphereVolume', 'volumePath'),
  requiring('photonPersistentDisk', 'pdID'),
  requiring('portworxVolume', 'volumeID'),
  source('azureDisk', checkAzureDisk),
  source('storageos', (value, path) => [
    ...checkStorageOS(value, path),
    ...checkReference(value.secretRef, ['name'], `${path}.secretRef`),
  ]),
  source('projected', validateProjected),
  requiring('scaleIO', 'gateway', 'system', 'volumeName'),
  source('csi', (value, path) => {
    const errors = checkDriverName(value.driver, `${path}.driver`);
    const secret = value.nodePublishSecretRef;
    if (!secret) return errors;
    if (!secret.name) return [...errors, field.required(`${path}.nodePublishSecretRef.name`)];
    return [...errors, ...checkName(isDNS1123Subdomain, secret.name, `${path}.name`)];
  }),
  source('ephemeral', ({ volumeClaimTemplate: template }, path) =>
    template
      ? validateClaimTemplate(template, `${path}.volumeClaimTemplate`)
      : [field.required(`${path}.volumeClaimTemplate`)],
  ),
  source('image', ({ pullPolicy }, path) =>
    oneOf(pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`),
  ),
]);

/** The volumes of a pod spec. `pod` is the pod's name: '' in templates, where claims for volumes have no names yet. */
export function validateVolumes(
  volumes: readonly VolumeView[] | undefined,
  path: string,
  pod: string,
): { readonly errors: FieldError[]; readonly known: KnownVolumes } {
  const errors: FieldError[] = [];
  const known = new Map<string, VolumeView>();
  const made = new Set<string>();
  for (const volume of volumes ?? []) if (pod !== '' && volume.ephemeral) made.add(`${pod}-${volume.name ?? ''}`);
  for (let i = 0; i < (volumes?.length ?? 0); i++) {
    const volume = volumes?.[i];
    if (!volume) continue;
    const at = `${path}[${i}]`;
    const own = validateVolume(volume, at, pod);
    if (!volume.name) own.push(field.required(`${at}.name`));
    else own.push(...checkName(isDNS1123Label, volume.name, `${at}.name`));
    if (known.has(volume.name)) own.push(field.duplicate(`${at}.name`, volume.name));
    if (own.length === 0) known.set(volume.name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName ?? '';
    if (made.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(field.invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail));
    }
  }
  return { errors, known };
}

function validateVolume(volume: VolumeView, path: string, pod: string): FieldError[] {
  const errors = validateOneSource(sources, volume, path, (name, own) => {
    const inPod = pod === '' ? [] : validateInPod(volume, name, path, pod);
    return name === 'image' ? [...inPod, ...own] : [...own, ...inPod];
  });
  if (volume.iscsi && isPortalTooLong(volume.iscsi, volume.name)) {
    errors.push(field.invalid(`${path}.name`, volume.name, portalTooLongText));
  }
  return errors;
}

/** What only pods must have, not templates: an image, and a name for the claim that is made for an ephemeral volume. */
function validateInPod(volume: VolumeView, name: string, path: string, pod: string): FieldError[] {
  if (name === 'image' && volume.image) return requireFields(volume.image, ['reference'], `${path}.image`);
  if (name !== 'ephemeral' || !volume.name) return [];
  const claim = `${pod}-${volume.name}`;
  return isDNS1123Subdomain(claim).map((text) =>
    field.invalid(`${path}.name`, volume.name, `PVC name "${claim}": ${text}`),
  );
}
