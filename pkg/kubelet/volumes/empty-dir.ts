import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { quantityValue } from '../../api/quantity.ts';
import { execOutput } from '../../base/exec.ts';
import type { VolumePlugin } from './volume.ts';

/** A directory that lives as long as the pod; medium Memory is a tmpfs of its own. */
export const emptyDirVolume: VolumePlugin = {
  directory: 'kubernetes.io~empty-dir',
  inMemory: false,
  supports: (volume) => volume.emptyDir !== undefined,
  async setUp({ pod, volume, dir, deps }) {
    const present = await stat(dir).catch(() => undefined);
    if (present === undefined) await mkdir(dir, { recursive: true });
    const { medium = '', sizeLimit } = volume.emptyDir ?? {};
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (medium === 'Memory' && !(await isMountPoint(dir))) {
      const size =
        sizeLimit === undefined || quantityValue(sizeLimit) === 0 ? [] : ['-o', `size=${quantityValue(sizeLimit)}`];
      await execOutput(deps.exec, 'mount', ['-t', 'tmpfs', ...size, 'tmpfs', dir]);
    } else if (present !== undefined) return { hostPath: dir };
    if (fsGroup !== undefined) await chown(dir, 0, fsGroup);
    await chmod(dir, fsGroup === undefined ? 0o777 : 0o2777);
    return { hostPath: dir };
  },
  async tearDown(dir, exec) {
    if (await isMountPoint(dir)) await execOutput(exec, 'umount', ['--lazy', dir]);
  },
};

/** A directory on another device than its parent. */
export async function isMountPoint(dir: string): Promise<boolean> {
  try {
    const [own, parent] = await Promise.all([stat(dir), stat(`${dir}/..`)]);
    return own.dev !== parent.dev;
  } catch {
    return false;
  }
}
