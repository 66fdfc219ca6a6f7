import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { quantityValue } from '../../api/quantity.ts';
import { execOutput } from '../../base/exec.ts';
import { podAmount } from '../container/resources.ts';
import type { Pod } from '../types.ts';
import { VolumeError, type VolumePlugin, type VolumeSetup } from './volume.ts';

const HUGEPAGES = 'HugePages';

/** A directory that lives as long as the pod; medium Memory is a tmpfs of its own, HugePages a hugetlbfs. */
export const emptyDirVolume: VolumePlugin = {
  directory: 'kubernetes.io~empty-dir',
  inMemory: false,
  supports: (source) => source.emptyDir !== undefined,
  async setUp(setup) {
    const { pod, dir, deps } = setup;
    const present = await stat(dir).catch(() => undefined);
    if (present === undefined) await mkdir(dir, { recursive: true });
    const fileSystem = mountArguments(setup);
    if (fileSystem !== undefined && !(await isMountPoint(dir))) {
      await execOutput(deps.exec, 'mount', [...fileSystem, dir]);
    } else if (present !== undefined) return { hostPath: dir };
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (fsGroup !== undefined) await chown(dir, 0, fsGroup);
    // A tmpfs is sticky of its own; its directories for subPaths take that over.
    const mode = setup.source.emptyDir?.medium === 'Memory' ? 0o1777 : 0o777;
    await chmod(dir, fsGroup === undefined ? mode : mode | 0o2000);
    return { hostPath: dir };
  },
};

/** What `mount` is told before the directory; undefined when the volume is a plain directory. */
function mountArguments({ pod, source, deps }: VolumeSetup): string[] | undefined {
  const { medium = '', sizeLimit } = source.emptyDir ?? {};
  if (medium === '') return undefined;
  if (medium === 'Memory') {
    const size = memorySize(pod, sizeLimit, deps.context.allocatable['memory']);
    return ['-t', 'tmpfs', ...(size === undefined ? [] : ['-o', `size=${size}`]), 'tmpfs'];
  }
  if (medium === HUGEPAGES || medium.startsWith(`${HUGEPAGES}-`)) {
    return ['-t', 'hugetlbfs', '-o', `pagesize=${pageSize(pod, medium).replace(/i$/, '')}`, 'nodev'];
  }
  throw new VolumeError(`unknown storage medium "${medium}"`);
}

/** In bytes: no more than the volume may hold, than the pod's containers may use, or than the node has. Pure. */
export function memorySize(
  pod: Pod,
  sizeLimit: string | undefined,
  allocatable: string | undefined,
): number | undefined {
  const candidates = [
    sizeLimit === undefined ? 0 : quantityValue(sizeLimit),
    podAmount(pod, 'limits', 'memory'),
    allocatable === undefined ? 0 : quantityValue(allocatable),
  ].filter((size) => size > 0);
  return candidates.length === 0 ? undefined : Math.min(...candidates);
}

/** The size of huge pages that a volume is of: a container has to ask for such pages. Throws a VolumeError. Pure. */
export function pageSize(pod: Pod, medium: string): string {
  const requests = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
    Object.keys(resources?.requests ?? {}),
  );
  const prefix = 'hugepages-';
  const asked = requests.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const wanted = medium === HUGEPAGES ? undefined : medium.slice(HUGEPAGES.length + 1);
  const sizes = new Set(wanted === undefined ? asked : asked.filter((size) => equalSizes(size, wanted)));
  const [size] = sizes;
  if (size === undefined) {
    throw new VolumeError(
      `medium ${medium}: hugePages storage requested, but there is no resource request for huge pages`,
    );
  }
  if (sizes.size > 1) {
    throw new VolumeError(`medium: ${medium} can't be used if container requests multiple huge page sizes`);
  }
  return size;
}

function equalSizes(a: string, b: string): boolean {
  return quantityValue(a) === quantityValue(b);
}

/** A directory on another device than its parent. */
export async function isMountPoint(dir: string): Promise<boolean> {
  try {
    const [own, parent] = await Promise.all([stat(dir), stat(`${dir}/..`)]);
    return own.dev !== parent.dev;
  } catch {
    return false;
  }
}
