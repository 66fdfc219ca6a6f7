import { resources } from '../../api/generated/resources.ts';
import type * as api from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { fieldValue, resourceFieldValue } from '../container/field-values.ts';
import type { Pod } from '../types.ts';
import type { ProjectedFile } from './atomic-writer.ts';
import { type VolumeDeps, VolumeError } from './volume.ts';

type Items = readonly DeepReadonly<api.KeyToPath>[] | undefined;
export type Files = Map<string, ProjectedFile>;

/** Picks `items` of an object's data, or all of it. `missing`: what is said of a key that is not there. */
function pick(
  data: ReadonlyMap<string, Uint8Array>,
  items: Items,
  mode: number,
  optional: boolean,
  missing: string,
): Files {
  const files: Files = new Map();
  if (items === undefined || items.length === 0) {
    for (const [key, bytes] of data) files.set(key, { data: bytes, mode });
    return files;
  }
  for (const item of items) {
    const bytes = data.get(item.key);
    if (bytes !== undefined) files.set(item.path, { data: bytes, mode: item.mode ?? mode });
    else if (!optional) throw new VolumeError(`${missing}: ${item.key}`);
  }
  return files;
}

export async function configMapFiles(
  source: { readonly name?: string; readonly items?: Items; readonly optional?: boolean },
  mode: number,
  deps: VolumeDeps,
): Promise<Files> {
  const { name = '', items, optional = false } = source;
  const object = await deps.object(resources.configmaps, name);
  if (object === undefined) {
    if (optional) return new Map();
    throw new VolumeError(`configmap "${name}" not found`);
  }
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(object.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'));
  return pick(data, items, mode, optional, 'configmap references non-existent config key');
}

export async function secretFiles(
  source: { readonly name?: string; readonly items?: Items; readonly optional?: boolean },
  mode: number,
  deps: VolumeDeps,
): Promise<Files> {
  const { name = '', items, optional = false } = source;
  const object = await deps.object(resources.secrets, name);
  if (object === undefined) {
    if (optional) return new Map();
    throw new VolumeError(`secret "${name}" not found`);
  }
  const data = new Map<string, Uint8Array>();
  for (const [key, base64] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(base64, 'base64'));
  return pick(data, items, mode, optional, 'references non-existent secret key');
}

export function downwardFiles(
  pod: Pod,
  items: readonly DeepReadonly<api.DownwardAPIVolumeFile>[] | undefined,
  mode: number,
  deps: VolumeDeps,
): Files {
  const files: Files = new Map();
  for (const item of items ?? []) {
    let text = '';
    if (item.fieldRef !== undefined) text = fieldValue(pod, item.fieldRef.fieldPath, deps.context);
    else if (item.resourceFieldRef !== undefined) {
      const { containerName, resource, divisor } = item.resourceFieldRef;
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const container = all.find((candidate) => candidate.name === containerName);
      if (container === undefined) throw new VolumeError(`container ${containerName} not found`);
      text = resourceFieldValue(container, resource, divisor, deps.context);
    }
    files.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode });
  }
  return files;
}

/** The user that all containers run as, if it is one: it may own the pod's tokens. */
export function commonUser(pod: Pod): number | undefined {
  const common = pod.spec.securityContext?.runAsUser;
  const containers = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...(pod.spec.ephemeralContainers ?? []),
  ];
  const users = new Set(containers.map((container) => container.securityContext?.runAsUser ?? common));
  return users.size === 1 ? [...users][0] : undefined;
}
