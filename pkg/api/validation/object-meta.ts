import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectMeta, OwnerReference } from '../generated/types.ts';
import { parseAPIVersion } from '../object.ts';
import * as field from './field-error.ts';
import { validateLabels } from './label-selector.ts';
import {
  byteLength,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isQualifiedName,
  maskTrailingDash,
  type NameCheck,
} from './names.ts';
import { checkName } from './values.ts';

type Meta = DeepReadonly<ObjectMeta>;
type FieldError = field.FieldError;

const maxAnnotationsBytes = 256 * 1024;
const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;
const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

export interface MetaRules {
  readonly namespaced: boolean;
  /** Custom resources: finalizers without a prefix are allowed. */
  readonly custom?: boolean;
  /** How names are checked. Default: DNS-1123 subdomain. */
  readonly validateName?: NameCheck | undefined;
}

/** Metadata of an object that is being created, after its name has been generated. */
export function validateObjectMeta(metadata: Meta, rules: MetaRules, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  const check = rules.validateName ?? isDNS1123Subdomain;
  const { generateName, name = '', namespace = '' } = metadata;
  if (generateName) {
    for (const text of check(maskTrailingDash(generateName))) {
      errors.push(field.invalid(`${path}.generateName`, generateName, text));
    }
  }
  if (name === '') errors.push(field.required(`${path}.name`, 'name or generateName is required'));
  else for (const text of check(name)) errors.push(field.invalid(`${path}.name`, name, text));
  if (rules.namespaced) {
    if (namespace === '') errors.push(field.required(`${path}.namespace`));
    else for (const text of isDNS1123Label(namespace)) errors.push(field.invalid(`${path}.namespace`, namespace, text));
  } else if (namespace !== '') {
    errors.push(field.forbidden(`${path}.namespace`, 'not allowed on this type'));
  }
  errors.push(...validateMetaAccessor(metadata, path, rules.custom === true));
  return errors;
}

function validateMetaAccessor(metadata: Meta, path: string, custom: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if ((metadata.generation ?? 0) < 0) {
    errors.push(field.invalid(`${path}.generation`, metadata.generation, 'must be greater than or equal to 0'));
  }
  errors.push(...validateLabels(metadata.labels, `${path}.labels`));
  errors.push(...validateAnnotations(metadata.annotations, `${path}.annotations`));
  errors.push(...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`));
  errors.push(...validateFinalizers(metadata.finalizers, `${path}.finalizers`, custom));
  return errors;
}

/** Keys in lower case are qualified names; all together at most 256 KiB. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations ?? {}) {
    for (const text of isQualifiedName(key.toLowerCase())) errors.push(field.invalid(path, key, text));
    size += byteLength(key) + byteLength(annotations?.[key] ?? '');
  }
  if (size > maxAnnotationsBytes) errors.push(field.tooLong(path, maxAnnotationsBytes));
  return errors;
}

/** Finalizers of metadata: qualified names with a prefix, or one of those that Kubernetes knows. */
function validateFinalizers(finalizers: readonly string[] | undefined, path: string, custom: boolean): FieldError[] {
  const errors: FieldError[] = [];
  let orphan = false;
  let foreground = false;
  for (let i = 0; i < (finalizers?.length ?? 0); i++) {
    const name = finalizers?.[i] ?? '';
    errors.push(...validateFinalizerName(name, path));
    if (!custom && !name.includes('/') && !standardFinalizers.has(name)) {
      const detail = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(field.invalid(`${path}[${i}]`, name, detail));
    }
    if (name === 'orphan') orphan = true;
    if (name === 'foregroundDeletion') foreground = true;
  }
  if (orphan && foreground) {
    errors.push(field.invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function validateFinalizerName(name: string, path: string): FieldError[] {
  return isQualifiedName(name).map((text) => field.invalid(path, name, text));
}

function validateOwnerReferences(
  references: readonly DeepReadonly<OwnerReference>[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let controller = '';
  for (const reference of references ?? []) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const current = `${reference.kind}/${reference.name}`;
    if (controller !== '') {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(field.invalid(path, references, detail));
    } else controller = current;
  }
  return errors;
}

function validateOwnerReference(reference: DeepReadonly<OwnerReference>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
  const { group, version } = parseAPIVersion(apiVersion);
  if (version === '') errors.push(field.invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
  if (kind === '') errors.push(field.invalid(`${path}.kind`, kind, 'must not be empty'));
  if (name === '') errors.push(field.invalid(`${path}.name`, name, 'must not be empty'));
  if (uid === '') errors.push(field.invalid(`${path}.uid`, uid, 'must not be empty'));
  if (kind === 'Event' && group === '' && version === 'v1') {
    errors.push(field.invalid(path, reference, `/${version}, Kind=Event is disallowed from being an owner`));
  }
  return errors;
}

/** What an update may not change in metadata, and what it may not bring in. */
export function validateObjectMetaUpdate(
  metadata: Meta,
  old: Meta,
  rules: Pick<MetaRules, 'custom'> = {},
  path = 'metadata',
): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.generateName)
    errors.push(...checkName(isPathSegmentName, metadata.generateName, `${path}.generateName`));
  if (old.deletionTimestamp) {
    const before = new Set(old.finalizers ?? []);
    const added = (metadata.finalizers ?? []).filter((name) => !before.has(name));
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => `"${name}"`).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(field.forbidden(`${path}.finalizers`, detail));
    }
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(field.invalid(`${path}.generation`, metadata.generation ?? 0, 'must not be decremented'));
  }
  for (const key of immutableFields) {
    if ((metadata[key] ?? '') !== (old[key] ?? '')) {
      errors.push(field.invalid(`${path}.${key}`, metadata[key] ?? null, 'field is immutable'));
    }
  }
  errors.push(...validateMetaAccessor(metadata, path, rules.custom === true));
  return errors;
}
