import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { ConfigMap } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength, isConfigMapKey } from '../validation/names.ts';
import { dropZero } from './shape.ts';

type Object = DeepReadonly<ConfigMap>;

const maxBytes = 1024 * 1024;

export const configMapStrategy: Strategy = {
  default: (object) => dropZero(object, ['data', 'binaryData']),
  validate: (object) => validateConfigMap(object as unknown as Object),
  validateUpdate(object, old) {
    const errors = validateFrozen(object, old, ['data', 'binaryData']);
    return [...errors, ...validateConfigMap(object as unknown as Object)];
  },
};

/** What may not change once `immutable` is true; shared with Secrets. */
export function validateFrozen(
  object: { readonly [field: string]: unknown },
  old: { readonly [field: string]: unknown },
  names: readonly string[],
): field.FieldError[] {
  if (old.immutable !== true) return [];
  const detail = 'field is immutable when `immutable` is set';
  const errors = object.immutable === true ? [] : [field.forbidden('immutable', detail)];
  for (const name of names) {
    if (!equalJSON(object[name] ?? {}, old[name] ?? {})) errors.push(field.forbidden(name, detail));
  }
  return errors;
}

/** Bytes that base64 text stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}

function validateConfigMap(config: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  let size = 0;
  for (const key in config.data ?? {}) {
    for (const text of isConfigMapKey(key)) errors.push(field.invalid(`data[${key}]`, key, text));
    if (config.binaryData && Object.hasOwn(config.binaryData, key)) {
      errors.push(field.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    size += byteLength(config.data?.[key] ?? '');
  }
  for (const key in config.binaryData ?? {}) {
    for (const text of isConfigMapKey(key)) errors.push(field.invalid(`binaryData[${key}]`, key, text));
    size += decodedLength(config.binaryData?.[key] ?? '');
  }
  if (size > maxBytes) errors.push(field.tooLong('[]', maxBytes));
  return errors;
}
