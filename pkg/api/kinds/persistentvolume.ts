import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../generated/types.ts';
import { formatTime } from '../time.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { compareQuantity, quantitySign } from '../validation/quantity.ts';
import { checkName, immutable, isAbsolutePath, oneOf } from '../validation/values.ts';
import { validateAccessModes, validateClaimSpec } from './claim-validation.ts';
import { validateNodeSelector } from './scheduling-validation.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';
import { defaultClaimSpec, defaultVolumeSource } from './volume-defaults.ts';
import { requiredSourceFields, validateSharedSource } from './volume-validation.ts';

type Volume = DeepReadonly<PersistentVolume>;
type Claim = DeepReadonly<PersistentVolumeClaim>;

const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;

export const persistentVolumeStrategy: Strategy = {
  default(object) {
    const spec = childObject<PersistentVolumeSpec>(object, 'spec');
    dropZero(spec, ['storageClassName', 'mountOptions']);
    defaultPlain(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    defaultPointer(spec, 'volumeMode', 'Filesystem');
    defaultVolumeSource(spec as unknown as Record<string, unknown>);
    defaultPlain(childObject(object, 'status'), 'phase', 'Pending');
  },
  prepareForCreate(object, { nowMs }) {
    object.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) };
  },
  prepareForUpdate(object, old, { nowMs, subresource }) {
    if (subresource !== 'status') return;
    const { status } = object as unknown as PersistentVolume;
    const before = (old as unknown as Volume).status;
    if (status && status.phase !== before?.phase) status.lastPhaseTransitionTime = formatTime(nowMs);
  },
  validate: (object) => validateVolume(object as unknown as Volume),
  validateUpdate(object, old, { subresource }) {
    if (subresource === 'status') return [];
    const volume = object as unknown as Volume;
    const before = old as unknown as Volume;
    const errors = validateVolume(volume);
    const source = (spec: DeepReadonly<PersistentVolumeSpec>): unknown[] => sources.map((name) => spec[name]);
    if (!equalJSON(source(volume.spec), source(before.spec))) {
      errors.push(
        field.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
      );
    }
    errors.push(...immutable(volume.spec.volumeMode, before.spec.volumeMode, 'spec.volumeMode'));
    if (before.spec.nodeAffinity) {
      errors.push(...immutable(volume.spec.nodeAffinity, before.spec.nodeAffinity, 'spec.nodeAffinity'));
    }
    return errors;
  },
};

export const persistentVolumeClaimStrategy: Strategy = {
  default(object) {
    defaultClaimSpec(childObject(object, 'spec'));
    defaultPlain(childObject(object, 'status'), 'phase', 'Pending');
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
    normalizeDataSource((object as unknown as PersistentVolumeClaim).spec);
  },
  prepareForUpdate(object, _old, { subresource }) {
    if (subresource === '') normalizeDataSource((object as unknown as PersistentVolumeClaim).spec);
  },
  validate: (object) => validateClaimSpec((object as unknown as Claim).spec, 'spec'),
  validateUpdate(object, old, { subresource }) {
    if (subresource === 'status') return [];
    const claim = object as unknown as Claim;
    return [...validateClaimSpec(claim.spec, 'spec'), ...validateClaimUpdate(claim, old as unknown as Claim)];
  },
};

/** `dataSource` knows claims and snapshots only; `dataSourceRef` says the same. */
function normalizeDataSource(spec: PersistentVolumeClaimSpec): void {
  const source = spec.dataSource;
  if (source) {
    const group = source.apiGroup ?? '';
    const known =
      (group === '' && source.kind === 'PersistentVolumeClaim') ||
      (group === 'snapshot.storage.k8s.io' && source.kind === 'VolumeSnapshot');
    if (!known) delete spec.dataSource;
    else spec.dataSourceRef ??= { ...source };
  } else if (spec.dataSourceRef && !spec.dataSourceRef.namespace) {
    const { apiGroup, kind, name } = spec.dataSourceRef;
    spec.dataSource = { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name };
  }
}

function validateVolume(volume: Volume): field.FieldError[] {
  const { spec } = volume;
  const errors: field.FieldError[] = [];
  if ((spec.accessModes?.length ?? 0) === 0) errors.push(field.required('spec.accessModes'));
  errors.push(...validateAccessModes(spec.accessModes, 'spec.accessModes'));
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) errors.push(field.required('spec.capacity'));
  else if (capacity.storage === undefined || Object.keys(capacity).length > 1) {
    errors.push(field.notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const name in capacity) {
    if (quantitySign(capacity[name]) <= 0) {
      errors.push(field.invalid(`spec.capacity[${name}]`, capacity[name], 'must be greater than zero'));
    }
  }
  if (spec.persistentVolumeReclaimPolicy) {
    const policies = ['Delete', 'Recycle', 'Retain'];
    errors.push(...oneOf(spec.persistentVolumeReclaimPolicy, policies, 'spec.persistentVolumeReclaimPolicy'));
  }
  const required = spec.nodeAffinity?.required;
  if (spec.nodeAffinity && !required)
    errors.push(field.required('spec.nodeAffinity.required', 'must specify required node constraints'));
  if (required) errors.push(...validateNodeSelector(required, 'spec.nodeAffinity.required'));
  errors.push(...validateSource(spec));
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(field.forbidden('spec.persistentVolumeReclaimPolicy', detail));
  }
  if (spec.storageClassName)
    errors.push(...checkName(isDNS1123Subdomain, spec.storageClassName, 'spec.storageClassName'));
  if (spec.volumeMode !== undefined) errors.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode'));
  return errors;
}

function validateSource(spec: DeepReadonly<PersistentVolumeSpec>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  let count = 0;
  for (const source of sources) {
    const value = spec[source];
    if (!value) continue;
    const path = `spec.${source}`;
    if (count > 0) errors.push(field.forbidden(path, 'may not specify more than 1 volume type'));
    else if (source === 'local') {
      if (!spec.local?.path) errors.push(field.required(`${path}.path`));
      if (!spec.nodeAffinity) errors.push(field.required('spec.nodeAffinity', 'Local volume requires node affinity'));
    } else {
      errors.push(...requiredSourceFields(source, value, path));
      const shared = { ...(spec.hostPath ? { hostPath: spec.hostPath } : {}), ...(spec.nfs ? { nfs: spec.nfs } : {}) };
      errors.push(...validateSharedSource(source, shared, path));
      if (source === 'csi' && !spec.csi?.volumeHandle) errors.push(field.required(`${path}.volumeHandle`));
    }
    count++;
  }
  if (count === 0) errors.push(field.required('spec', 'must specify a volume type'));
  if (spec.local?.path && !isAbsolutePath(spec.local.path) && spec.local.path.includes('..')) {
    errors.push(field.invalid('spec.local.path', spec.local.path, "must not contain '..'"));
  }
  return errors;
}

/** A bound claim may grow; the binder sets its volume once; nothing else changes. */
function validateClaimUpdate(claim: Claim, old: Claim): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const now: Record<string, unknown> = { ...claim.spec };
  const before: Record<string, unknown> = { ...old.spec };
  if (!old.spec.volumeName) before.volumeName = now.volumeName;
  if (!old.spec.storageClassName && old.spec.storageClassName !== '') before.storageClassName = now.storageClassName;
  if (old.status?.phase === 'Bound') {
    before.resources = { ...old.spec.resources, requests: claim.spec.resources?.requests };
    now.resources = { ...claim.spec.resources };
    before.volumeAttributesClassName = now.volumeAttributesClassName;
    const size = claim.spec.resources?.requests?.storage;
    if (compareQuantity(size, old.spec.resources?.requests?.storage) < 0) {
      if (compareQuantity(size, old.status.capacity?.storage) <= 0) {
        const path = 'spec.resources.requests.storage';
        errors.push(field.forbidden(path, 'field can not be less than status.capacity'));
      }
    }
  }
  if (!equalJSON(now, before)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(field.forbidden('spec', detail));
  }
  return errors;
}
