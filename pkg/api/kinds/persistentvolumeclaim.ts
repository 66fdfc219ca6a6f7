import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isQualifiedName } from '../validation/names.ts';
import { compareQuantity, quantitySign } from '../validation/quantity.ts';
import { checkName, immutable, immutableText, negativeText } from '../validation/values.ts';
import { validateClaimSpec } from './claim-validation.ts';
import { claimSpecWarnings } from './claim-warnings.ts';
import { betaStorageClass, storageClassWarning } from './persistentvolume.ts';
import { isNativeResource, validateBasicResource } from './resource-validation.ts';
import { roundAmounts } from './round-amounts.ts';
import { childObject, defaultPlain } from './shape.ts';
import { defaultClaimSpec } from './volume-defaults.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;

const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

export const persistentVolumeClaimStrategy: Strategy = {
  default(object) {
    defaultClaimSpec(childObject(object, 'spec'));
    const status = childObject<PersistentVolumeClaimStatus>(object, 'status');
    defaultPlain(status, 'phase', 'Pending');
    roundAmounts(status.capacity, status.allocatedResources);
  },
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
    normalizeDataSource((object as unknown as PersistentVolumeClaim).spec, undefined);
  },
  prepareForUpdate(object, old, { subresource }) {
    if (subresource !== '') return;
    normalizeDataSource((object as unknown as PersistentVolumeClaim).spec, (old as unknown as Claim).spec);
  },
  validate: (object) => validateClaimSpec((object as unknown as Claim).spec, 'spec'),
  validateUpdate(object, old, { subresource }) {
    const claim = object as unknown as Claim;
    if (subresource === 'status') return validateStatus(claim);
    const before = old as unknown as Claim;
    return [...validateClaimSpec(claim.spec, 'spec', before.spec), ...validateClaimUpdate(claim, before)];
  },
  warnings(object) {
    const claim = object as unknown as Claim;
    return [...storageClassWarning(claim.metadata.annotations), ...claimSpecWarnings(claim.spec, 'spec')];
  },
};

/**
 * `dataSource` knows claims and snapshots only, others go; `dataSourceRef` says the same. A reference into another namespace
 * is not supported by default: such a new one goes.
 */
function normalizeDataSource(
  spec: PersistentVolumeClaimSpec,
  old: DeepReadonly<PersistentVolumeClaimSpec> | undefined,
): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  const source = spec.dataSource;
  const fresh = !old?.dataSource && !old?.dataSourceRef && !spec.dataSourceRef;
  if (source && fresh && !isClaimOrSnapshot(source)) delete spec.dataSource;
  if (spec.dataSource) spec.dataSourceRef ??= { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSourceRef.namespace) {
    const { apiGroup, kind, name } = spec.dataSourceRef;
    spec.dataSource = { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name };
  }
}

function isClaimOrSnapshot(source: { readonly apiGroup?: string | null; readonly kind: string }): boolean {
  const { kind } = source;
  const apiGroup = source.apiGroup ?? '';
  return (
    (apiGroup === '' && kind === 'PersistentVolumeClaim') ||
    (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot')
  );
}

/** A bound claim may grow; the binder sets its volume once; nothing else changes. */
function validateClaimUpdate(claim: Claim, old: Claim): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const now: Record<string, unknown> = { ...claim.spec };
  const before: Record<string, unknown> = { ...old.spec };
  const annotation = claim.metadata.annotations?.[betaStorageClass];
  const oldAnnotation = old.metadata.annotations?.[betaStorageClass];
  const unset = old.spec.storageClassName === undefined;
  const named = claim.spec.storageClassName;
  if (!old.spec.volumeName) before.volumeName = now.volumeName;
  // A claim without a class may get the one that its annotation names, or any if it has none.
  if (unset && named !== undefined && (oldAnnotation === undefined || named === oldAnnotation)) {
    before.storageClassName = named;
  }
  const upgraded = unset && oldAnnotation !== undefined && named === oldAnnotation && annotation === undefined;
  if (annotation !== oldAnnotation && !upgraded) {
    errors.push(field.invalid(`metadata.annotations.${betaStorageClass}`, annotation ?? '', immutableText));
  }
  if (claim.status?.phase === 'Bound') {
    if (claim.spec.resources?.requests) now.resources = withStorage(claim.spec.resources, old.spec.resources);
    delete now.volumeAttributesClassName;
    delete before.volumeAttributesClassName;
  }
  if (!equalJSON(now, before)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(field.forbidden('spec', detail));
  }
  const size = claim.spec.resources?.requests?.storage;
  if (compareQuantity(size, old.spec.resources?.requests?.storage) < 0) {
    if (compareQuantity(size, old.status?.capacity?.storage) <= 0) {
      errors.push(field.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
    }
  }
  // Upstream reports this one without `spec`.
  errors.push(...immutable(claim.spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  return [...errors, ...validateAttributesClass(claim.spec, old)];
}

type Resources = NonNullable<Claim['spec']['resources']>;

/** `resources` with the amount of storage that the claim asked for before. */
function withStorage(resources: Resources, old: Resources | undefined): Resources {
  const storage = old?.requests?.storage;
  return { ...resources, requests: { ...resources.requests, ...(storage === undefined ? {} : { storage }) } };
}

/** A class that is in force can be changed, not taken away. */
function validateAttributesClass({ volumeAttributesClassName: name }: Claim['spec'], old: Claim): field.FieldError[] {
  if (name === old.spec.volumeAttributesClassName) return [];
  if (old.status?.currentVolumeAttributesClassName === undefined || (name !== undefined && name !== '')) return [];
  const what = name === undefined ? 'nil' : 'empty string';
  const detail = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [field.forbidden('spec.volumeAttributesClassName', detail)];
}

function validateStatus(claim: Claim): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { capacity, allocatedResourceStatuses, allocatedResources } = claim.status ?? {};
  if ((claim.spec.accessModes?.length ?? 0) === 0) errors.push(field.required('Spec.accessModes'));
  for (const name in capacity) errors.push(...validateBasicResource(capacity[name] ?? '0', `status.capacity[${name}]`));
  const statusPath = 'status.allocatedResourceStatuses';
  for (const name in allocatedResourceStatuses) {
    errors.push(...validateStorageKey(name, statusPath));
    if (resizeStates.includes(allocatedResourceStatuses[name] ?? '')) continue;
    errors.push(field.notSupported(statusPath, name, resizeStates));
  }
  for (const name in allocatedResources) {
    const path = 'status.allocatedResources';
    const wrong = validateStorageKey(name, path);
    const value = allocatedResources[name] ?? '0';
    errors.push(...wrong);
    if (wrong.length > 0) continue;
    const basic = validateBasicResource(value, `${path}[${name}]`);
    errors.push(...basic);
    if (basic.length === 0 && quantitySign(value) < 0) {
      errors.push(field.invalid(`${path}[${name}]`, value, negativeText));
    }
  }
  return errors;
}

/** Of Kubernetes' own resources only `storage`. */
function validateStorageKey(name: string, path: string): field.FieldError[] {
  const errors = checkName(isQualifiedName, name, path);
  if (errors.length > 0 || !isNativeResource(name) || name === 'storage') return errors;
  return [field.notSupported(path, name, ['storage'])];
}
