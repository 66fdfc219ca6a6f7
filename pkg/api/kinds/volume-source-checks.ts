/** Checks of volume sources that pods and persistent volumes share; each gets one source and its path. */
import type { DeepReadonly } from '../../base/json.ts';
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Label, isDNS1123Subdomain, rangeText } from '../validation/names.ts';
import { checkName, isAbsolutePath, noBacksteps } from '../validation/values.ts';

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
const cachingModes = ['None', 'ReadOnly', 'ReadWrite'];
const diskKinds = ['Dedicated', 'Managed', 'Shared'];
const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
const qualifiedNames = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[A-Za-z0-9]{16}$/],
  ['naa', /^naa.[A-Za-z0-9]{32}$/],
] as const;

/** Reports those of `names` that are absent or empty. */
export function requireFields(source: object, names: readonly string[], path: string): FieldError[] {
  const fields = source as Readonly<Record<string, unknown>>;
  return names
    .filter((name) => !fields[name] || (Array.isArray(fields[name]) && fields[name].length === 0))
    .map((name) => field.required(`${path}.${name}`));
}

function inByte(value: number | undefined, low: number, path: string): FieldError[] {
  const number = value ?? 0;
  return number < 0 || number > 255 ? [field.invalid(path, number, rangeText(low, 255))] : [];
}

/** A disk with partitions, of GCE or AWS. */
export function checkPartition(partition: number | undefined, path: string): FieldError[] {
  return inByte(partition, 1, `${path}.partition`);
}

export function checkHostPath(source: DeepReadonly<HostPathVolumeSource>, path: string): FieldError[] {
  if (!source.path) return [field.required(`${path}.path`)];
  const errors = noBacksteps(source.path, `${path}.path`);
  if (source.type !== undefined && source.type !== null && !hostPathTypes.includes(source.type)) {
    errors.push(field.notSupported(`${path}.type`, source.type, hostPathTypes));
  }
  return errors;
}

export function checkNFS(source: DeepReadonly<NFSVolumeSource>, path: string): FieldError[] {
  const errors = requireFields(source, ['server', 'path'], path);
  if (!isAbsolutePath(source.path ?? '')) {
    errors.push(field.invalid(`${path}.path`, source.path ?? '', 'must be an absolute path'));
  }
  return errors;
}

function checkInitiator(name: string, detail: string, path: string): FieldError[] {
  const kind = qualifiedNames.find(([prefix]) => name.startsWith(prefix));
  if (kind === undefined) return [field.invalid(path, name, detail)];
  return kind[1].test(name) ? [] : [field.invalid(path, name, 'must be valid format')];
}

type ISCSI = DeepReadonly<Omit<ISCSIPersistentVolumeSource, 'secretRef'>> & { readonly secretRef?: object };

/** `detail` says what is wrong with a name that begins with none of the known formats. */
export function checkISCSI(source: ISCSI, detail: string, path: string): FieldError[] {
  const errors = requireFields(source, ['targetPortal', 'iqn'], path);
  if (source.iqn) errors.push(...checkInitiator(source.iqn, detail, `${path}.iqn`));
  errors.push(...inByte(source.lun, 0, `${path}.lun`));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors.push(field.required(`${path}.secretRef`));
  }
  if (source.initiatorName !== undefined && source.initiatorName !== null) {
    errors.push(...checkInitiator(source.initiatorName, detail, `${path}.initiatorname`));
  }
  return errors;
}

/** The volume's name and the portal make a directory name when the initiator is given. */
export function isPortalTooLong(source: ISCSI, volume: string): boolean {
  return (
    source.initiatorName !== undefined &&
    source.initiatorName !== null &&
    `${volume}:${source.targetPortal ?? ''}`.length > 64
  );
}

export const portalTooLongText =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

export function checkFC(source: DeepReadonly<FCVolumeSource>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const targets = source.targetWWNs?.length ?? 0;
  const ids = source.wwids?.length ?? 0;
  if (targets === 0 && ids === 0) {
    errors.push(field.required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targets > 0 && ids > 0) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(field.invalid(`${path}.targetWWNs`, source.targetWWNs, detail));
  }
  if (targets === 0) return errors;
  if (source.lun === undefined || source.lun === null) {
    errors.push(field.required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  } else errors.push(...inByte(source.lun, 0, `${path}.lun`));
  return errors;
}

export function checkQuobyte(source: DeepReadonly<QuobyteVolumeSource>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (!source.registry) errors.push(field.required(`${path}.registry`, pairs));
  else if ((source.tenant?.length ?? 0) >= 65) {
    errors.push(field.required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of source.registry.split(',')) {
      if (/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair)) continue;
      errors.push(field.invalid(`${path}.registry`, source.registry, pairs));
    }
  }
  errors.push(...requireFields(source, ['volume'], path));
  return errors;
}

export function checkFlocker(source: DeepReadonly<FlockerVolumeSource>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { datasetName = '', datasetUUID = '' } = source;
  if (datasetName === '' && datasetUUID === '') {
    errors.push(field.required(path, 'one of datasetName and datasetUUID is required'));
  }
  if (datasetName !== '' && datasetUUID !== '') {
    const detail = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.push(field.invalid(path, 'resource', detail));
  }
  if (datasetName.includes('/')) {
    errors.push(field.invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  }
  return errors;
}

export function checkFlexVolume(
  source: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> },
  path: string,
): FieldError[] {
  const errors = requireFields(source, ['driver'], path);
  for (const key in source.options ?? {}) {
    const namespace = `.${(key.split('/', 1)[0] ?? '').toLowerCase()}`;
    if (!namespace.endsWith('.kubernetes.io') && !namespace.endsWith('.k8s.io')) continue;
    const detail = 'kubernetes.io and k8s.io namespaces are reserved';
    errors.push(field.invalid(`${path}.options[${key}]`, key, detail));
  }
  return errors;
}

export function checkAzureDisk(source: DeepReadonly<AzureDiskVolumeSource>, path: string): FieldError[] {
  const errors = requireFields(source, ['diskName', 'diskURI'], path);
  const { cachingMode, kind, diskURI = '' } = source;
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    errors.push(field.notSupported(`${path}.cachingMode`, cachingMode, cachingModes));
  }
  if (kind === undefined) return errors;
  if (!diskKinds.includes(kind)) errors.push(field.notSupported(`${path}.kind`, kind, diskKinds));
  const managed = kind === 'Managed';
  if (!diskURI.startsWith(managed ? '/subscriptions/' : 'https://')) {
    errors.push(field.notSupported(`${path}.diskURI`, diskURI, [managed ? managedDisk : blobDisk]));
  }
  return errors;
}

export function checkStorageOS(
  source: { readonly volumeName?: string; readonly volumeNamespace?: string },
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!source.volumeName) errors.push(field.required(`${path}.volumeName`));
  else errors.push(...checkName(isDNS1123Label, source.volumeName, `${path}.volumeName`));
  if (source.volumeNamespace) {
    errors.push(...checkName(isDNS1123Label, source.volumeNamespace, `${path}.volumeNamespace`));
  }
  return errors;
}

/** Of a reference that is given: those of `names` that it lacks. */
export function checkReference(
  reference: object | null | undefined,
  names: readonly string[],
  path: string,
): FieldError[] {
  return reference ? requireFields(reference, names, path) : [];
}

/** The name of a CSI driver: a subdomain in any case, at most 63 bytes. */
export function checkDriverName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [field.required(path)];
  const errors = isDNS1123Subdomain(name.toLowerCase()).map((text) => field.invalid(path, name, text));
  return name.length > 63 ? [field.tooLong(path, 63), ...errors] : errors;
}
