import { Buffer } from 'node:buffer';
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Secret } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isConfigMapKey } from '../validation/names.ts';
import { immutable } from '../validation/values.ts';
import { decodedLength, validateFrozen } from './configmap.ts';
import { defaultPlain, dropZero } from './shape.ts';
import { keyPairProblem } from './tls-key-pair.ts';

type Object = DeepReadonly<Secret>;

const maxBytes = 1024 * 1024;
const accountAnnotation = 'kubernetes.io/service-account.name';
const redacted = '<secret contents redacted>';

/** Keys that a type of Secret must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export const secretStrategy: Strategy = {
  default(object) {
    const secret = object as unknown as Secret;
    if (secret.stringData) {
      for (const key in secret.stringData) {
        secret.data ??= {};
        secret.data[key] = Buffer.from(secret.stringData[key] ?? '', 'utf8').toString('base64');
      }
      delete secret.stringData;
    }
    defaultPlain(secret, 'type', 'Opaque');
    dropZero(secret, ['data']);
  },
  validate: (object) => validateSecret(object as unknown as Object),
  validateUpdate(object, old) {
    const secret = object as unknown as Object;
    return [
      ...immutable(secret.type, (old as unknown as Object).type, 'type'),
      ...validateFrozen(object, old, ['data']),
      ...validateSecret(secret),
    ];
  },
  warnings(object) {
    const { type, data } = object as unknown as Object;
    if (type !== 'kubernetes.io/tls') return [];
    const problem = keyPairProblem(decode(data?.['tls.crt']), decode(data?.['tls.key']));
    return problem === undefined ? [] : [problem];
  },
  selectableFields: (object) => ({ type: (object as unknown as Object).type ?? '' }),
};

function validateSecret(secret: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const data = secret.data ?? {};
  const type = secret.type ?? '';
  let size = 0;
  for (const key in data) {
    for (const text of isConfigMapKey(key)) errors.push(field.invalid(`data[${key}]`, key, text));
    size += decodedLength(data[key] ?? '');
  }
  if (size > maxBytes) errors.push(field.tooLong('data', maxBytes));
  for (const key of requiredKeys[type] ?? []) {
    if (!Object.hasOwn(data, key)) errors.push(field.required(`data[${key}]`));
    else if (key.startsWith('.docker') && !isJSONObject(data[key] ?? '')) {
      errors.push(field.invalid(`data[${key}]`, redacted, 'invalid character in JSON'));
    }
  }
  if (type === 'kubernetes.io/ssh-auth' && !data['ssh-privatekey']) {
    errors.push(field.required('data[ssh-privatekey]'));
  }
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    errors.push(field.required('data[username]'), field.required('data[password]'));
  }
  if (type === 'kubernetes.io/service-account-token' && !secret.metadata.annotations?.[accountAnnotation]) {
    errors.push(field.required(`metadata.annotations[${accountAnnotation}]`));
  }
  return errors;
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('latin1');
}

function isJSONObject(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return typeof value === 'object' && !Array.isArray(value);
  } catch {
    return false;
  }
}
