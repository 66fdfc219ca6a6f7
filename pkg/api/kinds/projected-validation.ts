/** Files that volumes take from the API: keys of ConfigMaps and Secrets, fields of the pod and tokens. */
import type { DeepReadonly } from '../../base/json.ts';
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { localNonReservedPath } from '../validation/values.ts';
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from './env-validation.ts';

type FieldError = field.FieldError;

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

export function fileMode(mode: number | undefined | null, path: string): FieldError[] {
  if (mode === undefined || mode === null || (mode >= 0 && mode <= 0o777)) return [];
  return [field.invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

export function validateItems(items: readonly DeepReadonly<KeyToPath>[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (!item.key) errors.push(field.required(`${at}.key`));
    if (!item.path) errors.push(field.required(`${at}.path`));
    errors.push(...localNonReservedPath(item.path ?? '', `${at}.path`), ...fileMode(item.mode, `${at}.mode`));
    return errors;
  });
}

export function validateDownwardFile(file: DeepReadonly<DownwardAPIVolumeFile>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!file.path) errors.push(field.required(`${path}.path`));
  errors.push(...localNonReservedPath(file.path ?? '', `${path}.path`));
  if (file.fieldRef) {
    errors.push(...validateFieldRef(file.fieldRef, volumeFieldPaths, `${path}.fieldRef`));
    if (file.resourceFieldRef) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(field.invalid(path, 'resource', detail));
    }
  } else if (file.resourceFieldRef) {
    errors.push(...validateResourceFieldRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`));
  } else {
    errors.push(field.required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  errors.push(...fileMode(file.mode, `${path}.mode`));
  return errors;
}

/** A projected volume: files of several sources in one directory, no two of them at the same path. */
export function validateProjected(projected: DeepReadonly<ProjectedVolumeSource>, path: string): FieldError[] {
  const errors = fileMode(projected.defaultMode, `${path}.defaultMode`);
  const claimed = new Set<string>();
  const claim = (file: string | undefined, value: string | undefined): FieldError[] => {
    if (!file) return [];
    if (claimed.has(file)) return [field.invalid(path, value ?? '', 'conflicting duplicate paths')];
    claimed.add(file);
    return [];
  };
  const sources = projected.sources ?? [];
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source) errors.push(...validateProjection(source, `${path}.sources[${i}]`, path, claim));
  }
  return errors;
}

type Claim = (file: string | undefined, value: string | undefined) => FieldError[];

function validateProjection(
  source: DeepReadonly<VolumeProjection>,
  at: string,
  volumePath: string,
  claim: Claim,
): FieldError[] {
  const errors: FieldError[] = [];
  const { downwardAPI, serviceAccountToken } = source;
  for (const part of ['secret', 'configMap'] as const) {
    const projection = source[part];
    if (!projection) continue;
    if (!projection.name) errors.push(field.required(`${at}.${part}.name`));
    const items = projection.items ?? [];
    errors.push(...validateItems(items, `${at}.${part}.items`));
    for (const item of items) errors.push(...claim(item.path, projection.name));
  }
  for (const file of downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, `${at}.downwardAPI`), ...claim(file.path, file.path));
  }
  if (serviceAccountToken) {
    errors.push(...validateToken(serviceAccountToken, `${at}.serviceAccountToken`, volumePath));
  }
  const kinds = [source.secret, source.configMap, downwardAPI, serviceAccountToken];
  if (kinds.filter(Boolean).length > 1) {
    errors.push(field.forbidden(at, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

/** Upstream reports a token's path at the volume, not at the token. */
function validateToken(
  token: DeepReadonly<ServiceAccountTokenProjection>,
  path: string,
  volumePath: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seconds = token.expirationSeconds ?? 3600;
  const at = `${path}.expirationSeconds`;
  if (seconds < minTokenSeconds) {
    errors.push(field.invalid(at, seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > maxTokenSeconds) {
    errors.push(field.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (!token.path) errors.push(field.required(`${volumePath}.path`));
  else errors.push(...localNonReservedPath(token.path, `${volumePath}.path`));
  return errors;
}
