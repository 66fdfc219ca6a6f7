import type { DeepReadonly } from '../../base/json.ts';
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import {
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isRelaxedEnvVarName,
  maskTrailingDash,
} from '../validation/names.ts';
import { quantitySign } from '../validation/quantity.ts';
import { checkName, noBacksteps } from '../validation/values.ts';
import { isHugePages } from './resource-validation.ts';

type FieldError = field.FieldError;

const convertible = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'spec.host',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);

export const envFieldPaths: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

export const volumeFieldPaths: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const resourcePaths = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function validateEnv(vars: readonly DeepReadonly<EnvVar>[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < (vars?.length ?? 0); i++) {
    const variable = vars?.[i];
    if (!variable) continue;
    if (!variable.name) errors.push(field.required(`${path}[${i}].name`));
    else errors.push(...checkName(isRelaxedEnvVarName, variable.name, `${path}[${i}].name`));
    if (variable.valueFrom) {
      errors.push(...validateValueFrom(variable.valueFrom, variable.value ?? '', `${path}[${i}].valueFrom`));
    }
  }
  return errors;
}

function validateValueFrom(source: DeepReadonly<EnvVarSource>, value: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let sources = 0;
  if (source.fieldRef) {
    sources++;
    errors.push(...validateFieldRef(source.fieldRef, envFieldPaths, `${path}.fieldRef`));
  }
  if (source.resourceFieldRef) {
    sources++;
    errors.push(...validateResourceFieldRef(source.resourceFieldRef, false, `${path}.resourceFieldRef`));
  }
  for (const part of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[part];
    if (!reference) continue;
    sources++;
    errors.push(...checkName(isDNS1123Subdomain, reference.name, `${path}.${part}.name`));
    if (!reference.key) errors.push(field.required(`${path}.${part}.key`));
    else errors.push(...checkName(isConfigMapKey, reference.key, `${path}.${part}.key`));
  }
  if (source.fileKeyRef) {
    sources++;
    const { key, path: file, volumeName } = source.fileKeyRef;
    if (!key) errors.push(field.required(`${path}.fileKeyRef.key`));
    else errors.push(...checkName(isRelaxedEnvVarName, key, `${path}.fileKeyRef.key`));
    if (!volumeName) errors.push(field.required(`${path}.fileKeyRef.volumeName`));
    else errors.push(...checkName(isDNS1123Label, volumeName, `${path}.fileKeyRef.volumeName`));
    if (!file) errors.push(field.required(`${path}.fileKeyRef.path`));
    else errors.push(...noBacksteps(file, `${path}.fileKeyRef.path`));
  }
  if (sources === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(field.invalid(path, '', detail));
  } else if (value !== '') {
    errors.push(field.invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(field.invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

/** A reference to a field of the pod, as variables and downward API volumes have it. */
export function validateFieldRef(
  reference: DeepReadonly<ObjectFieldSelector>,
  supported: readonly string[],
  path: string,
): FieldError[] {
  const { apiVersion = '', fieldPath = '' } = reference;
  if (apiVersion === '') return [field.required(`${path}.apiVersion`)];
  if (fieldPath === '') return [field.required(`${path}.fieldPath`)];
  const failed = (text: string): FieldError[] => [
    field.invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${text}`),
  ];
  if (apiVersion !== 'v1') return failed(`unsupported pod version: ${apiVersion}`);
  const subscripted = /^([^[]+)\['(.*)'\]$/.exec(fieldPath);
  const base = subscripted?.[1] ?? fieldPath;
  if (subscripted) {
    const key = subscripted[2] ?? '';
    if (base !== 'metadata.annotations' && base !== 'metadata.labels') {
      return failed(`field label does not support subscript: ${fieldPath}`);
    }
    const name = base === 'metadata.annotations' ? key.toLowerCase() : key;
    return isQualifiedName(name).map((text) => field.invalid(path, key, text));
  }
  if (!convertible.has(base)) return failed(`field label not supported: ${fieldPath}`);
  const name = base === 'spec.host' ? 'spec.nodeName' : base;
  return supported.includes(name) ? [] : [field.notSupported(`${path}.fieldPath`, name, supported)];
}

/** A reference to a container's request or limit. In volumes it must name the container. */
export function validateResourceFieldRef(
  reference: DeepReadonly<ResourceFieldSelector>,
  inVolume: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const resource = reference.resource ?? '';
  const name = resource.replace(/^(limits|requests)\./, '');
  if (inVolume && !reference.containerName) errors.push(field.required(`${path}.containerName`));
  else if (resource === '') errors.push(field.required(`${path}.resource`));
  else if (!resourcePaths.includes(resource) && !(name !== resource && isHugePages(name))) {
    errors.push(field.notSupported(`${path}.resource`, resource, resourcePaths));
  }
  const divisor = reference.divisor ?? '0';
  if (quantitySign(divisor) === 0) return errors;
  if (name === 'cpu') {
    if (divisor !== '1m' && divisor !== '1') {
      const detail = "only divisor's values 1m and 1 are supported with the cpu resource";
      errors.push(field.invalid(`${path}.divisor`, resource, detail));
    }
    return errors;
  }
  const what = name === 'memory' ? 'memory' : name === 'ephemeral-storage' ? 'local ephemeral storage' : 'hugepages';
  if (what === 'hugepages' && !isHugePages(name)) return errors;
  if (!byteDivisors.includes(divisor)) {
    const detail = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${what} resource`;
    errors.push(field.invalid(`${path}.divisor`, resource, detail));
  }
  return errors;
}

export function validateEnvFrom(
  sources: readonly DeepReadonly<EnvFromSource>[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < (sources?.length ?? 0); i++) {
    const source = sources?.[i];
    if (source?.prefix) errors.push(...checkName(isRelaxedEnvVarName, source.prefix, `${path}[${i}].prefix`));
    let count = 0;
    for (const part of ['configMapRef', 'secretRef'] as const) {
      const reference = source?.[part];
      if (!reference) continue;
      count++;
      const at = `${path}[${i}].${part}.name`;
      if (!reference.name) errors.push(field.required(at));
      else {
        const texts = isDNS1123Subdomain(maskTrailingDash(reference.name));
        errors.push(...texts.map((text) => field.invalid(at, reference.name, text)));
      }
    }
    if (count === 0) errors.push(field.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) errors.push(field.invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}
