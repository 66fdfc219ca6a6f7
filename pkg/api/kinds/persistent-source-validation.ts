import type { DeepReadonly } from '../../base/json.ts';
import type { CSIPersistentVolumeSource, PersistentVolumeSpec, SecretReference } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName, noBacksteps } from '../validation/values.ts';
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
type Spec = DeepReadonly<PersistentVolumeSpec>;

const referenceFields = ['name', 'namespace'];

const { source, requiring } = volumeSourceMakers<PersistentVolumeSpec>();

/** Every source of a persistent volume in the order in which upstream looks at them. */
const sources: VolumeSources<PersistentVolumeSpec> = volumeSources([
  source('hostPath', checkHostPath),
  source(
    'gcePersistentDisk',
    (value, path) => [...requireFields(value, ['pdName'], path), ...checkPartition(value.partition, path)],
    { at: 'persistentDisk' },
  ),
  source('awsElasticBlockStore', (value, path) => [
    ...requireFields(value, ['volumeID'], path),
    ...checkPartition(value.partition, path),
  ]),
  source('glusterfs', (value, path) => {
    const errors = requireFields(value, ['endpoints', 'path'], path);
    const { endpointsNamespace: namespace } = value;
    if (namespace === undefined) return errors;
    const at = `${path}.endpointsNamespace`;
    if (namespace !== '') return [...errors, ...checkName(isDNS1123Label, namespace, at)];
    const detail = 'if the endpointnamespace is set, it must be a valid namespace name';
    return [...errors, field.invalid(at, namespace, detail)];
  }),
  source('flocker', checkFlocker),
  source('nfs', checkNFS),
  requiring('rbd', 'monitors', 'image'),
  source('quobyte', checkQuobyte),
  source('cephfs', (value, path) => requireFields(value, ['monitors'], path), { secondAt: 'cephFS' }),
  source('iscsi', (value, path) => [
    ...checkISCSI(value, 'must be valid format', path),
    ...checkReference(value.secretRef, ['name'], `${path}.secretRef`),
  ]),
  source('cinder', (value, path) => [
    ...requireFields(value, ['volumeID'], path),
    ...checkReference(value.secretRef, referenceFields, `${path}.secretRef`),
  ]),
  source('fc', checkFC),
  source('flexVolume', checkFlexVolume),
  source('azureFile', (value, path) => [
    ...requireFields(value, ['secretName', 'shareName'], path),
    ...(value.secretNamespace === '' ? [field.required(`${path}.secretNamespace`)] : []),
  ]),
  requiring('vsphereVolume', 'volumePath'),
  requiring('photonPersistentDisk', 'pdID'),
  requiring('portworxVolume', 'volumeID'),
  source('azureDisk', checkAzureDisk),
  requiring('scaleIO', 'gateway', 'system', 'volumeName'),
  source('local', (value, path) =>
    value.path ? noBacksteps(value.path, `${path}.path`) : [field.required(`${path}.path`)],
  ),
  source('storageos', (value, path) => [
    ...checkStorageOS(value, path),
    ...checkReference(value.secretRef, referenceFields, `${path}.secretRef`),
  ]),
  source('csi', checkCSI),
]);

/** The one source that a persistent volume has. `name` is the volume's. */
export function validatePersistentSource(spec: Spec, name: string, path: string): FieldError[] {
  return validateOneSource(sources, spec, path, (kind, own) => [...own, ...moreErrors(spec, kind, name, path)]);
}

/** What depends on more than the source itself. */
function moreErrors(spec: Spec, kind: string, name: string, path: string): FieldError[] {
  if (kind === 'local' && !spec.nodeAffinity) {
    return [field.required(`${path}.nodeAffinity`, 'Local volume requires node affinity')];
  }
  if (kind === 'iscsi' && spec.iscsi && isPortalTooLong(spec.iscsi, name)) {
    return [field.invalid(`${path}.iscsi.targetportal`, spec.iscsi.targetPortal, portalTooLongText)];
  }
  return [];
}

const secrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function checkCSI(csi: DeepReadonly<CSIPersistentVolumeSource>, path: string): FieldError[] {
  const errors = [...checkDriverName(csi.driver, `${path}.driver`), ...requireFields(csi, ['volumeHandle'], path)];
  for (const name of secrets) {
    const reference = csi[name];
    if (reference) errors.push(...checkSecret(reference, `${path}.${name}`));
  }
  return errors;
}

function checkSecret({ name, namespace }: DeepReadonly<SecretReference>, path: string): FieldError[] {
  return [
    ...(name ? checkName(isDNS1123Subdomain, name, `${path}.name`) : [field.required(`${path}.name`)]),
    ...(namespace ? checkName(isDNS1123Label, namespace, `${path}.namespace`) : [field.required(`${path}.namespace`)]),
  ];
}
