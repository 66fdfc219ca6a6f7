import { canonicalQuantity, formatQuantity, quantityOf, quantityValue } from '../../api/quantity.ts';
import { podLimits } from '../../api/scheduling/pod-requests.ts';
import type { Pod } from '../types.ts';

/** What one pod has written to the node's disk, in bytes. */
export interface LocalStorageUsage {
  /** Writable layer and logs by container. */
  readonly containers: ReadonlyMap<string, number>;
  /** By the name of an emptyDir volume, whatever its medium. */
  readonly emptyDirs: ReadonlyMap<string, number>;
}

const STORAGE = 'ephemeral-storage';

/** Whether anything limits what the pod may write: only then it must be measured. */
export function limitsLocalStorage({ spec }: Pod): boolean {
  const limited = spec.containers.some(({ resources }) => resources?.limits?.[STORAGE] !== undefined);
  return limited || (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);
}

/** Why the pod must go for what it has written: upstream's message; undefined when it may stay. Pure. */
export function localStorageExcess(pod: Pod, usage: LocalStorageUsage): string | undefined {
  return emptyDirExcess(pod, usage) ?? podExcess(pod, usage) ?? containerExcess(pod, usage);
}

function emptyDirExcess({ spec }: Pod, { emptyDirs }: LocalStorageUsage): string | undefined {
  for (const { name, emptyDir } of spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || quantityValue(limit) <= 0) continue;
    if ((emptyDirs.get(name) ?? 0) > quantityValue(limit)) {
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${canonicalQuantity(limit)}". `;
    }
  }
  return undefined;
}

function podExcess({ spec }: Pod, usage: LocalStorageUsage): string | undefined {
  const limit = podLimits(spec).get(STORAGE);
  if (limit === undefined) return undefined;
  let used = 0;
  for (const bytes of usage.containers.values()) used += bytes;
  for (const { name, emptyDir } of spec.volumes ?? []) {
    if (emptyDir !== undefined && (emptyDir.medium ?? '') === '') used += usage.emptyDirs.get(name) ?? 0;
  }
  if (used <= limit) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limitText(spec, limit)}. `;
}

/** In the form of the only limit there is, else in powers of two. */
function limitText(spec: Pod['spec'], limit: number): string {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const texts = new Set(containers.flatMap(({ resources }) => resources?.limits?.[STORAGE] ?? []));
  const [only] = texts;
  if (texts.size === 1 && only !== undefined && quantityValue(only) === limit) return canonicalQuantity(only);
  return formatQuantity(quantityOf(limit, 'BinarySI'));
}

function containerExcess({ spec }: Pod, { containers }: LocalStorageUsage): string | undefined {
  for (const { name, resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const limit = resources?.limits?.[STORAGE];
    if (limit === undefined || (containers.get(name) ?? 0) <= quantityValue(limit)) continue;
    return `Container ${name} exceeded its local ephemeral storage limit "${canonicalQuantity(limit)}". `;
  }
  return undefined;
}
