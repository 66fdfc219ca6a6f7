import type { Container, EphemeralContainer, Pod, Service } from '../types.ts';
import { readInside } from '../volumes/sub-path.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { envFileValue } from './env-file.ts';
import { expand } from './expand.ts';
import { type FieldContext, fieldValue, resourceFieldValue } from './field-values.ts';
import { serviceEnv } from './service-env.ts';

/** Reads what a container's environment refers to; undefined: there is no such object. */
export interface EnvObjects {
  /** The data of a ConfigMap as text. */
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** The data of a Secret, decoded. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** The container cannot be configured; the message is what the pod's status says. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

export interface EnvDeps {
  readonly objects: EnvObjects;
  readonly services: Iterable<Service>;
  readonly context: FieldContext;
  /** The pod's volumes by name: files of variables lie in them. */
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Told why a file of variables cannot be used. */
  readonly unreadable: (error: unknown) => void;
}

type EnvVar = NonNullable<Container['env']>[number];

/** The environment of a container in order. Throws a ContainerConfigError when something it needs is missing. */
export async function containerEnv(
  pod: Pod,
  container: Container | EphemeralContainer,
  deps: EnvDeps,
): Promise<Map<string, string>> {
  const services = serviceEnv(deps.services, pod.metadata.namespace, pod.spec.enableServiceLinks ?? true);
  const env = await fromSources(pod, container, deps.objects);
  // References may also name service variables, which come last in the environment and never override.
  const known = new Map([...services, ...env]);
  for (const variable of container.env ?? []) {
    const value = await variableValue(pod, container, variable, known, deps);
    if (value === undefined) continue;
    known.set(variable.name, value);
    env.set(variable.name, value);
  }
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

async function fromSources(
  pod: Pod,
  container: Container | EphemeralContainer,
  objects: EnvObjects,
): Promise<Map<string, string>> {
  const env = new Map<string, string>();
  const { namespace } = pod.metadata;
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    let data: Readonly<Record<string, string>> | undefined;
    if (configMapRef !== undefined) {
      data = await objects.configMap(namespace, configMapRef.name ?? '');
      if (data === undefined && configMapRef.optional !== true) throw missing('configmap', configMapRef.name);
    } else if (secretRef !== undefined) {
      data = await objects.secret(namespace, secretRef.name ?? '');
      if (data === undefined && secretRef.optional !== true) throw missing('secret', secretRef.name);
    }
    for (const [key, value] of Object.entries(data ?? {})) env.set(`${prefix}${key}`, value);
  }
  return env;
}

async function variableValue(
  pod: Pod,
  container: Container | EphemeralContainer,
  variable: EnvVar,
  known: ReadonlyMap<string, string>,
  deps: EnvDeps,
): Promise<string | undefined> {
  const { valueFrom } = variable;
  const { objects, context } = deps;
  const { namespace } = pod.metadata;
  if (valueFrom === undefined) return expand(variable.value ?? '', known);
  if (valueFrom.fieldRef !== undefined) return fieldValue(pod, valueFrom.fieldRef.fieldPath, context);
  if (valueFrom.resourceFieldRef !== undefined) {
    const { containerName, resource, divisor } = valueFrom.resourceFieldRef;
    const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const target =
      containerName === undefined || containerName === '' ? container : all.find((one) => one.name === containerName);
    if (target === undefined) throw new ContainerConfigError(`container ${containerName} not found`);
    return resourceFieldValue(target, resource, divisor, context);
  }
  if (valueFrom.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.configMapKeyRef;
    const data = await objects.configMap(namespace, name);
    if (data?.[key] !== undefined || optional === true) return data?.[key];
    throw data === undefined
      ? missing('configmap', name)
      : new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (valueFrom.secretKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.secretKeyRef;
    const data = await objects.secret(namespace, name);
    if (data?.[key] !== undefined || optional === true) return data?.[key];
    throw data === undefined
      ? missing('secret', name)
      : new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  if (valueFrom.fileKeyRef !== undefined) return fileValue(valueFrom.fileKeyRef, deps);
  throw new ContainerConfigError(`environment variable ${variable.name} has no source that this node supports`);
}

const MAX_ENV_FILE_BYTES = 1024 * 1024;

type FileKeyRef = NonNullable<NonNullable<EnvVar['valueFrom']>['fileKeyRef']>;

async function fileValue(
  { volumeName, path, key, optional }: FileKeyRef,
  { volumes, unreadable }: EnvDeps,
): Promise<string | undefined> {
  const volume = volumes.get(volumeName);
  if (volume === undefined)
    throw new ContainerConfigError(`cannot find the volume "${volumeName}" referenced by FileKeyRef`);
  let value: string;
  try {
    value = envFileValue(await readInside(volume.hostPath, path, MAX_ENV_FILE_BYTES), key);
  } catch (error) {
    unreadable(error);
    throw new ContainerConfigError("couldn't parse env file", { cause: error });
  }
  if (value !== '') return value;
  if (optional === true) return undefined;
  throw new ContainerConfigError(`environment variable key "${key}" not found in file "${volume.hostPath}/${path}"`);
}

function missing(kind: 'configmap' | 'secret', name = ''): ContainerConfigError {
  return new ContainerConfigError(`${kind} "${name}" not found`);
}
