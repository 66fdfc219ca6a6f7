import type { DeepReadonly } from '../../base/json.ts';
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isConfigMapKey, isDNS1123Label, isDNS1123Subdomain } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import {
  checkName,
  isAbsolutePath,
  localDescendingPath,
  localNonReservedPath,
  noBacksteps,
  oneOf,
} from '../validation/values.ts';
import { validateClaimSpec } from './claim-validation.ts';
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from './env-validation.ts';

type FieldError = field.FieldError;

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const sourceOrder = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;

/** Fields that must not be empty, by source. */
const requiredFields: Readonly<Record<string, readonly string[]>> = {
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  secret: ['secretName'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  persistentVolumeClaim: ['claimName'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  quobyte: ['registry', 'volume'],
  flexVolume: ['driver'],
  configMap: ['name'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  csi: ['driver'],
  ephemeral: ['volumeClaimTemplate'],
};

/** What is known of the pod's volumes after their validation: those without errors, by name. */
export type KnownVolumes = ReadonlyMap<string, DeepReadonly<Volume>>;

export function validateVolumes(
  volumes: readonly DeepReadonly<Volume>[] | undefined,
  path: string,
): { readonly errors: FieldError[]; readonly known: KnownVolumes } {
  const errors: FieldError[] = [];
  const known = new Map<string, DeepReadonly<Volume>>();
  for (let i = 0; i < (volumes?.length ?? 0); i++) {
    const volume = volumes?.[i];
    if (!volume) continue;
    const at = `${path}[${i}]`;
    const own = validateVolume(volume, at);
    if (!volume.name) own.push(field.required(`${at}.name`));
    else own.push(...checkName(isDNS1123Label, volume.name, `${at}.name`));
    if (known.has(volume.name)) own.push(field.duplicate(`${at}.name`, volume.name));
    if (own.length === 0) known.set(volume.name, volume);
    errors.push(...own);
  }
  return { errors, known };
}

function validateVolume(volume: DeepReadonly<Volume>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  for (const source of sourceOrder) {
    if (!volume[source]) continue;
    if (count > 0) errors.push(field.forbidden(`${path}.${source}`, 'may not specify more than 1 volume type'));
    else errors.push(...validateSource(volume, source, `${path}.${source}`));
    count++;
  }
  if (count === 0) errors.push(field.required(path, 'must specify a volume type'));
  return errors;
}

/** The required fields of one source of a volume or persistent volume. */
export function requiredSourceFields(source: string, value: object, path: string): FieldError[] {
  const fields = value as Readonly<Record<string, unknown>>;
  return (requiredFields[source] ?? [])
    .filter((name) => !fields[name] || (Array.isArray(fields[name]) && fields[name].length === 0))
    .map((name) => field.required(`${path}.${name}`));
}

function validateSource(
  volume: DeepReadonly<Volume>,
  source: (typeof sourceOrder)[number],
  path: string,
): FieldError[] {
  const errors = requiredSourceFields(source, volume[source] ?? {}, path);
  const { emptyDir, secret, configMap, downwardAPI, projected, ephemeral, image } = volume;
  if (source === 'emptyDir' && emptyDir?.sizeLimit && quantitySign(emptyDir.sizeLimit) < 0) {
    errors.push(field.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  } else if (source === 'secret' && secret) {
    errors.push(
      ...fileMode(secret.defaultMode, `${path}.defaultMode`),
      ...validateItems(secret.items, `${path}.items`),
    );
  } else if (source === 'configMap' && configMap) {
    errors.push(
      ...fileMode(configMap.defaultMode, `${path}.defaultMode`),
      ...validateItems(configMap.items, `${path}.items`),
    );
  } else if (source === 'downwardAPI' && downwardAPI) {
    errors.push(...fileMode(downwardAPI.defaultMode, `${path}.defaultMode`));
    for (const file of downwardAPI.items ?? []) errors.push(...validateDownwardFile(file, path));
  } else if (source === 'projected' && projected) {
    errors.push(...validateProjected(projected, path));
  } else if (source === 'ephemeral' && ephemeral?.volumeClaimTemplate?.spec) {
    errors.push(...validateClaimSpec(ephemeral.volumeClaimTemplate.spec, `${path}.volumeClaimTemplate.spec`));
  } else if (source === 'image' && image?.pullPolicy) {
    errors.push(...oneOf(image.pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`));
  } else {
    errors.push(...validateSharedSource(source, volume, path));
  }
  return errors;
}

/** Rules of sources that volumes and persistent volumes share, beyond their required fields. */
export function validateSharedSource(
  source: string,
  volume: DeepReadonly<Pick<Volume, 'hostPath' | 'nfs' | 'gitRepo' | 'csi'>>,
  path: string,
): FieldError[] {
  const { hostPath, nfs, gitRepo, csi } = volume;
  if (source === 'hostPath' && hostPath) {
    if (!hostPath.path) return [field.required(`${path}.path`)];
    const errors = noBacksteps(hostPath.path, `${path}.path`);
    if (hostPath.type !== undefined && !hostPathTypes.includes(hostPath.type)) {
      errors.push(field.notSupported(`${path}.type`, hostPath.type, hostPathTypes));
    }
    return errors;
  }
  if (source === 'nfs' && nfs?.path && !isAbsolutePath(nfs.path)) {
    return [field.invalid(`${path}.path`, nfs.path, 'must be an absolute path')];
  }
  if (source === 'gitRepo' && gitRepo?.directory) return localDescendingPath(gitRepo.directory, `${path}.directory`);
  if (source === 'csi' && csi?.driver) {
    const errors = checkName(isDNS1123Subdomain, csi.driver.toLowerCase(), `${path}.driver`);
    if (csi.driver.length > 63) errors.push(field.tooLong(`${path}.driver`, 63));
    return errors;
  }
  return [];
}

function fileMode(mode: number | undefined, path: string): FieldError[] {
  if (mode === undefined || mode === null || (mode >= 0 && mode <= 0o777)) return [];
  return [field.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

function validateItems(items: readonly DeepReadonly<KeyToPath>[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < (items?.length ?? 0); i++) {
    const item = items?.[i];
    const at = `${path}[${i}]`;
    if (!item?.key) errors.push(field.required(`${at}.key`));
    else errors.push(...checkName(isConfigMapKey, item.key, `${at}.key`));
    if (!item?.path) errors.push(field.required(`${at}.path`));
    else errors.push(...localNonReservedPath(item.path, `${at}.path`));
    errors.push(...fileMode(item?.mode, `${at}.mode`));
  }
  return errors;
}

function validateDownwardFile(file: DeepReadonly<DownwardAPIVolumeFile>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!file.path) errors.push(field.required(`${path}.path`));
  else errors.push(...localNonReservedPath(file.path, `${path}.path`));
  if (file.fieldRef) {
    errors.push(...validateFieldRef(file.fieldRef, volumeFieldPaths, `${path}.fieldRef`));
    if (file.resourceFieldRef) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(field.invalid(path, 'resource', detail));
    }
  } else if (file.resourceFieldRef) {
    errors.push(...validateResourceFieldRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`));
  } else {
    errors.push(field.required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  errors.push(...fileMode(file.mode, `${path}.mode`));
  return errors;
}

function validateProjected(projected: DeepReadonly<ProjectedVolumeSource>, path: string): FieldError[] {
  const errors = fileMode(projected.defaultMode, `${path}.defaultMode`);
  const paths = new Set<string>();
  const sources = projected.sources ?? [];
  const claim = (file: string | undefined, at: string): void => {
    if (!file) return;
    if (paths.has(file)) errors.push(field.invalid(at, file, 'conflicting duplicate paths'));
    paths.add(file);
  };
  for (let i = 0; i < sources.length; i++) {
    const at = `${path}.sources[${i}]`;
    const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = sources[i] ?? {};
    if (secret) {
      if (!secret.name) errors.push(field.required(`${at}.secret.name`));
      errors.push(...validateItems(secret.items, `${at}.secret.items`));
      for (const item of secret.items ?? []) claim(item.path, path);
    }
    if (configMap) {
      if (!configMap.name) errors.push(field.required(`${at}.configMap.name`));
      errors.push(...validateItems(configMap.items, `${at}.configMap.items`));
      for (const item of configMap.items ?? []) claim(item.path, path);
    }
    for (const file of downwardAPI?.items ?? []) {
      errors.push(...validateDownwardFile(file, `${at}.downwardAPI`));
      claim(file.path, path);
    }
    if (serviceAccountToken) {
      errors.push(...validateTokenProjection(serviceAccountToken, `${at}.serviceAccountToken`));
      claim(serviceAccountToken.path, path);
    }
    if (clusterTrustBundle) {
      if (!clusterTrustBundle.path) errors.push(field.required(`${at}.clusterTrustBundle.path`));
      else errors.push(...localNonReservedPath(clusterTrustBundle.path, `${at}.clusterTrustBundle.path`));
      claim(clusterTrustBundle.path, path);
    }
    const kinds = [secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle].filter(Boolean);
    if (kinds.length > 1) errors.push(field.forbidden(at, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

function validateTokenProjection(token: DeepReadonly<ServiceAccountTokenProjection>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seconds = token.expirationSeconds ?? 3600;
  if (seconds < 600) {
    errors.push(field.invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
  } else if (seconds > 2 ** 32) {
    errors.push(
      field.invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
    );
  }
  if (!token.path) errors.push(field.required(`${path}.path`));
  else errors.push(...localNonReservedPath(token.path, `${path}.path`));
  return errors;
}
