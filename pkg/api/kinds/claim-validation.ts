import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector, validateLabels } from '../validation/label-selector.ts';
import { isDNS1123Label, isDNS1123Subdomain } from '../validation/names.ts';
import { validateAnnotations } from '../validation/object-meta.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName } from '../validation/values.ts';

type FieldError = field.FieldError;
type Spec = DeepReadonly<PersistentVolumeClaimSpec>;

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const volumeModes = ['Block', 'Filesystem'];

export function validateAccessModes(modes: readonly string[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let onePod = false;
  let others = false;
  for (const mode of modes ?? []) {
    if (!accessModes.includes(mode)) errors.push(field.notSupported(path, mode, accessModes));
    else if (mode === 'ReadWriteOncePod') onePod = true;
    else others = true;
  }
  if (onePod && others) errors.push(field.forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  return errors;
}

export function validateVolumeMode(mode: string | undefined | null, path: string): FieldError[] {
  if (mode === undefined || mode === null || volumeModes.includes(mode)) return [];
  return [field.notSupported(path, mode, volumeModes)];
}

/** `old` is what the spec was before an update: what it names as the source of its data then need not be well-formed. */
export function validateClaimSpec(spec: Spec, path: string, old?: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.accessModes?.length ?? 0) === 0) {
    errors.push(field.required(`${path}.accessModes`, 'at least 1 access mode is required'));
  }
  errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  errors.push(...validateAccessModes(spec.accessModes, `${path}.accessModes`));
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) errors.push(field.required(`${path}.resources[storage]`));
  else if (quantitySign(storage) <= 0) {
    errors.push(field.invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'));
  }
  if (spec.storageClassName) {
    errors.push(...checkName(isDNS1123Subdomain, spec.storageClassName, `${path}.storageClassName`));
  }
  errors.push(...validateVolumeMode(spec.volumeMode, `${path}.volumeMode`));
  errors.push(...validateDataSources(spec, isGroupNamed(old), path));
  if (spec.volumeAttributesClassName) {
    const at = `${path}.volumeAttributesClassName`;
    errors.push(...checkName(isDNS1123Subdomain, spec.volumeAttributesClassName, at));
  }
  return errors;
}

function isGroupNamed(spec: Spec | undefined): boolean {
  const groups = [spec?.dataSource?.apiGroup, spec?.dataSourceRef?.apiGroup];
  return groups.some((group) => group !== undefined && group !== null);
}

function validateDataSources(spec: Spec, anyGroup: boolean, path: string): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const errors: FieldError[] = [];
  if (dataSource) errors.push(...validateDataSource(dataSource, anyGroup, `${path}.dataSource`));
  if (!dataSourceRef) return errors;
  errors.push(...validateDataSource(dataSourceRef, anyGroup, `${path}.dataSourceRef`));
  const { namespace } = dataSourceRef;
  if (namespace) errors.push(...checkName(isDNS1123Label, namespace, `${path}.dataSourceRef.namespace`));
  if (!dataSource) return errors;
  if (namespace) {
    const detail = 'may not be specified when dataSourceRef.namespace is specified';
    errors.push(field.invalid(path, `${path}.dataSource`, detail));
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    errors.push(field.invalid(path, `${path}.dataSource`, 'must match dataSourceRef'));
  }
  return errors;
}

function validateDataSource(
  source: { readonly apiGroup?: string | null; readonly kind?: string; readonly name?: string },
  anyGroup: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const apiGroup = source.apiGroup ?? '';
  const { kind = '' } = source;
  if (!source.name) errors.push(field.required(`${path}.name`));
  if (kind === '') errors.push(field.required(`${path}.kind`));
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(field.invalid(path, kind, detail));
  }
  if (apiGroup !== '' && !anyGroup) errors.push(...checkName(isDNS1123Subdomain, apiGroup, `${path}.apiGroup`));
  return errors;
}

/** Lists and numbers of metadata count as set even when they are empty or zero. */
function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** The claim that an ephemeral volume asks for: of its metadata only labels and annotations. */
export function validateClaimTemplate(
  template: DeepReadonly<PersistentVolumeClaimTemplate>,
  path: string,
): FieldError[] {
  const metadata: Readonly<Record<string, unknown>> = { ...template.metadata };
  const errors = [
    ...validateAnnotations(template.metadata?.annotations, `${path}.metadata.annotations`),
    ...validateLabels(template.metadata?.labels, `${path}.metadata.labels`),
  ];
  for (const name in metadata) {
    if (name === 'labels' || name === 'annotations' || isUnset(metadata[name])) continue;
    errors.push(field.forbidden(`${path}.metadata.${name === 'uid' ? 'uID' : name}`, 'cannot be set'));
  }
  errors.push(...validateClaimSpec(template.spec, `${path}.spec`));
  return errors;
}
