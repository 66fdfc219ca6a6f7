import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeClaimSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, oneOf } from '../validation/values.ts';
import { validateResourceNames } from './resource-validation.ts';

type FieldError = field.FieldError;

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateAccessModes(modes: readonly string[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const mode of modes ?? []) {
    if (!accessModes.includes(mode)) errors.push(field.notSupported(path, mode, accessModes));
  }
  if (modes?.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod')) {
    errors.push(field.forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validateClaimSpec(spec: DeepReadonly<PersistentVolumeClaimSpec>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.accessModes?.length ?? 0) === 0) {
    errors.push(field.required(`${path}.accessModes`, 'at least 1 access mode is required'));
  }
  errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  errors.push(...validateAccessModes(spec.accessModes, `${path}.accessModes`));
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) errors.push(field.required(`${path}.resources[storage]`));
  else {
    errors.push(...validateResourceNames({ storage }, `${path}.resources`));
    if (quantitySign(storage) <= 0) {
      errors.push(field.invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'));
    }
  }
  if (spec.storageClassName) {
    errors.push(...checkName(isDNS1123Subdomain, spec.storageClassName, `${path}.storageClassName`));
  }
  if (spec.volumeMode !== undefined) {
    errors.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`));
  }
  for (const part of ['dataSource', 'dataSourceRef'] as const) {
    const source = spec[part];
    if (!source) continue;
    if (!source.name) errors.push(field.required(`${path}.${part}.name`));
    if (!source.kind) errors.push(field.required(`${path}.${part}.kind`));
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
      errors.push(
        field.invalid(
          `${path}.${part}`,
          source.kind ?? '',
          "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ),
      );
    }
  }
  return errors;
}
