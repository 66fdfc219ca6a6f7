import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.ts';
import { formatTime } from '../time.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, immutable, immutableText } from '../validation/values.ts';
import { validateAccessModes, validateVolumeMode } from './claim-validation.ts';
import { nodeTermWarnings } from './node-labels.ts';
import { validatePersistentSource } from './persistent-source-validation.ts';
import { validateBasicResource } from './resource-validation.ts';
import { roundAmounts } from './round-amounts.ts';
import { validateNodeSelector } from './scheduling-validation.ts';
import { childObject, defaultPlain, defaultPointer, dropZero } from './shape.ts';
import { defaultVolumeSource } from './volume-defaults.ts';
import { persistentPluginWarnings } from './volume-warnings.ts';

type Volume = DeepReadonly<PersistentVolume>;
type Spec = DeepReadonly<PersistentVolumeSpec>;

export const betaStorageClass = 'volume.beta.kubernetes.io/storage-class';
const mountOptions = 'volume.beta.kubernetes.io/mount-options';
/** Sources that can have mount options by annotation. */
const mountable = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
] as const;

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
/** Fields of a volume's spec that do not say where its data is. */
const notSource = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);
const renamedLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

export const persistentVolumeStrategy: Strategy = {
  default(object) {
    const spec = childObject<PersistentVolumeSpec>(object, 'spec');
    dropZero(spec, ['storageClassName', 'mountOptions']);
    roundAmounts(spec.capacity);
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
    if (!status) return;
    const since = before?.lastPhaseTransitionTime;
    if (status.phase !== before?.phase) {
      // A client may say itself when that was.
      if (!status.lastPhaseTransitionTime || status.lastPhaseTransitionTime === since) {
        status.lastPhaseTransitionTime = formatTime(nowMs);
      }
    } else if (!status.lastPhaseTransitionTime && since !== undefined) status.lastPhaseTransitionTime = since;
  },
  validate: (object) => validateVolume(object as unknown as Volume),
  validateUpdate(object, old, { subresource }) {
    if (subresource === 'status') return [];
    const volume = object as unknown as Volume;
    return [...validateVolume(volume), ...validateVolumeUpdate(volume.spec, (old as unknown as Volume).spec)];
  },
  warnings(object) {
    const { metadata, spec } = object as unknown as Volume;
    const warnings = storageClassWarning(metadata.annotations);
    if (metadata.annotations?.[mountOptions] !== undefined) {
      const instead = 'use "mountOptions" attribute instead';
      warnings.push(`metadata.annotations[${mountOptions}]: deprecated since v1.31; ${instead}`);
    }
    if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
      warnings.push(
        'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      );
    }
    const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    for (const [i, term] of terms.entries()) {
      warnings.push(...nodeTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, false));
    }
    return spec ? [...warnings, ...persistentPluginWarnings(spec, 'spec')] : warnings;
  },
};

/** About the annotation that named a storage class before there was a field. */
export function storageClassWarning(annotations: Readonly<Record<string, string>> | undefined): string[] {
  if (annotations?.[betaStorageClass] === undefined) return [];
  return [`metadata.annotations[${betaStorageClass}]: deprecated since v1.8; use "storageClassName" attribute instead`];
}

function validateVolume(volume: Volume): field.FieldError[] {
  const { spec } = volume;
  const errors: field.FieldError[] = [];
  if ((spec.accessModes?.length ?? 0) === 0) errors.push(field.required('spec.accessModes'));
  errors.push(...validateAccessModes(spec.accessModes, 'spec.accessModes'));
  errors.push(...validateCapacity(spec.capacity ?? {}, 'spec.capacity'));
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && !reclaimPolicies.includes(policy)) {
    errors.push(field.notSupported('spec.persistentVolumeReclaimPolicy', policy, reclaimPolicies));
  }
  if (spec.nodeAffinity) {
    const { required } = spec.nodeAffinity;
    const path = 'spec.nodeAffinity.required';
    if (required) errors.push(...validateNodeSelector(required, path));
    else errors.push(field.required(path, 'must specify required node constraints'));
  }
  errors.push(...validatePersistentSource(spec, volume.metadata.name ?? '', 'spec'));
  if (policy === 'Recycle' && isRoot(spec.hostPath?.path)) {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(field.forbidden('spec.persistentVolumeReclaimPolicy', detail));
  }
  if (spec.storageClassName) {
    errors.push(...checkName(isDNS1123Subdomain, spec.storageClassName, 'spec.storageClassName'));
  }
  errors.push(...validateVolumeMode(spec.volumeMode, 'spec.volumeMode'));
  errors.push(...validateAttributesClass(spec));
  if (volume.metadata.annotations?.[mountOptions] !== undefined && !mountable.some((name) => spec[name])) {
    const detail = 'may not specify mount options for this volume type';
    errors.push(field.forbidden(`metadata.annotations.${mountOptions}`, detail));
  }
  return errors;
}

function validateCapacity(capacity: Readonly<Record<string, string>>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const count = Object.keys(capacity).length;
  if (count === 0) errors.push(field.required(path));
  if (capacity.storage === undefined || count > 1) errors.push(field.notSupported(path, capacity, ['storage']));
  for (const name in capacity) {
    const value = capacity[name] ?? '0';
    errors.push(...validateBasicResource(value, `${path}[${name}]`));
    if (quantitySign(value) <= 0) errors.push(field.invalid(`${path}[${name}]`, value, 'must be greater than zero'));
  }
  return errors;
}

function isRoot(path: string | undefined): boolean {
  if (!path?.startsWith('/')) return false;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0;
}

function validateAttributesClass(spec: Spec): field.FieldError[] {
  const name = spec.volumeAttributesClassName;
  if (name === undefined || name === null) return [];
  const path = 'spec.volumeAttributesClassName';
  const errors =
    name === '' ? [field.required(path, 'an empty string is disallowed')] : checkName(isDNS1123Subdomain, name, path);
  if (!spec.csi) errors.push(field.required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  return errors;
}

/** Upstream reports some of these without `spec`. */
function validateVolumeUpdate(spec: Spec, before: Spec): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (!equalJSON(sourceOf(spec, before), sourceOf(before, before))) {
    const detail = 'spec.persistentvolumesource is immutable after creation';
    errors.push(field.forbidden('spec.persistentvolumesource', detail));
  }
  errors.push(...immutable(spec.volumeMode, before.volumeMode, 'volumeMode'));
  if (before.nodeAffinity && !sameAffinity(spec.nodeAffinity, before.nodeAffinity)) {
    const detail = `${immutableText}, except for updating from beta label to GA`;
    errors.push(field.invalid('nodeAffinity', spec.nodeAffinity ?? 'null', detail));
  }
  if (before.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const detail = 'update from non-nil value to nil is forbidden';
    errors.push(field.forbidden('spec.volumeAttributesClassName', detail));
  }
  return errors;
}

/** The source of a volume; the secret for expansion by its driver may still be added. */
function sourceOf(spec: Spec, before: Spec): Record<string, unknown> {
  const source = Object.fromEntries(Object.entries(spec).filter(([name]) => !notSource.has(name)));
  if (before.csi && !before.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _added, ...csi } = spec.csi;
    source.csi = csi;
  }
  return source;
}

function sameAffinity(now: Spec['nodeAffinity'], old: NonNullable<Spec['nodeAffinity']>): boolean {
  const terms = now?.required?.nodeSelectorTerms ?? [];
  const oldTerms = old.required?.nodeSelectorTerms ?? [];
  const renamed = oldTerms.map((term, i) => ({
    ...term,
    ...(term.matchExpressions === undefined
      ? {}
      : {
          matchExpressions: term.matchExpressions.map((one, j) => {
            const key = terms[i]?.matchExpressions?.[j]?.key;
            return (renamedLabels[one.key] ?? '') === key ? { ...one, key } : one;
          }),
        }),
  }));
  return now !== undefined && equalJSON(terms, renamed);
}
