import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { VolumeAttachment, VolumeError } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isDNS1123Subdomain, rangeText } from '../validation/names.ts';
import { checkName, immutable } from '../validation/values.ts';
import { validateDriverName } from './csi-name-validation.ts';
import { validateInlineVolume } from './inline-volume-validation.ts';
import { defaultStatus } from './shape.ts';

type Object = DeepReadonly<VolumeAttachment>;

const maxMetadataBytes = 256 * 1024;
const maxMessageBytes = 1024;
const maxInt32 = 2_147_483_647;

export const volumeAttachmentStrategy: Strategy = {
  allowUnconditionalUpdate: false,
  default: (object) => defaultStatus(object, { attached: false }),
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  validate: (object) => validateAttachment(object as unknown as Object),
  validateUpdate: (object, old) => [
    ...validateAttachment(object as unknown as Object),
    ...immutable(object.spec, old.spec, 'spec'),
  ],
};

function validateAttachment({ spec, status }: Object): field.FieldError[] {
  const errors = validateDriverName(spec?.attacher, 'spec.attacher');
  errors.push(...validateSource(spec?.source, 'spec.source'));
  errors.push(...checkName(isDNS1123Subdomain, spec?.nodeName, 'spec.nodeName'));
  const metadata = Object.entries(status?.attachmentMetadata ?? {});
  const sizeBytes = metadata.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  if (sizeBytes > maxMetadataBytes) errors.push(field.tooLong('status.attachmentMetadata', maxMetadataBytes));
  for (const name of ['attachError', 'detachError'] as const) {
    errors.push(...validateError(status?.[name], `status.${name}`));
  }
  const volume = spec?.source?.persistentVolumeName;
  if (typeof volume === 'string') {
    errors.push(...checkName(isDNS1123Subdomain, volume, 'spec.source.persistentVolumeName'));
  }
  return errors;
}

function validateSource(source: Object['spec']['source'] | undefined, path: string): field.FieldError[] {
  const volume = source?.persistentVolumeName;
  const hasVolume = volume !== undefined && volume !== null;
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!hasVolume && !source?.inlineVolumeSpec) return [field.required(path, detail)];
  if (hasVolume && source?.inlineVolumeSpec) return [field.forbidden(path, detail)];
  if (source?.inlineVolumeSpec) return validateInlineVolume(source.inlineVolumeSpec, `${path}.inlineVolumeSpec`);
  if (volume !== '') return [];
  return [field.required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName')];
}

function validateError(error: DeepReadonly<VolumeError> | undefined, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  // Upstream's text names the limit of the metadata.
  if (byteLength(error?.message ?? '') > maxMessageBytes) {
    errors.push(field.tooLong(`${path}.message`, maxMetadataBytes));
  }
  const code = error?.errorCode;
  if (typeof code === 'number' && code < 0)
    errors.push(field.invalid(`${path}.errorCode`, code, rangeText(0, maxInt32)));
  return errors;
}
