import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateAccessModes } from './claim-validation.ts';
import { validatePersistentSource } from './persistent-source-validation.ts';

const notInline = 'may not be specified in the context of inline volumes';

/** The spec of a volume that has no PersistentVolume, as VolumeAttachments carry it: a CSI volume and what its driver needs. */
export function validateInlineVolume(spec: DeepReadonly<PersistentVolumeSpec>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const forbid = (name: string, detail = notInline): void => {
    errors.push(field.forbidden(`${path}.${name}`, detail));
  };
  if (spec.claimRef) forbid('claimRef');
  if (Object.keys(spec.capacity ?? {}).length > 0) forbid('capacity');
  if (!spec.csi) errors.push(field.required(`${path}.csi`, 'has to be specified in the context of inline volumes'));
  if ((spec.accessModes?.length ?? 0) === 0) errors.push(field.required(`${path}.accessModes`));
  errors.push(...validateAccessModes(spec.accessModes, `${path}.accessModes`));
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && policy !== 'Retain') {
    forbid('persistentVolumeReclaimPolicy', 'may only be Retain in the context of inline volumes');
  }
  if (spec.nodeAffinity) forbid('nodeAffinity');
  errors.push(...validatePersistentSource(spec, '', path));
  if (spec.storageClassName) forbid('storageClassName');
  const mode = spec.volumeMode;
  if (mode !== undefined && mode !== null && mode !== 'Filesystem') {
    forbid('volumeMode', 'may not specify volumeMode other than Filesystem in the context of inline volumes');
  }
  return errors;
}
