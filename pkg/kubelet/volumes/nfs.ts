import { access, mkdir } from 'node:fs/promises';
import { isMountPoint } from './empty-dir.ts';
import { VolumeError, type VolumePlugin } from './volume.ts';

/** `mount` leaves NFS to this program of the distribution's NFS package. */
const HELPERS = ['/sbin/mount.nfs', '/usr/sbin/mount.nfs'];
const MOUNT_TIMEOUT_MS = 120_000;

/** A directory of an NFS server. */
export const nfsVolume: VolumePlugin = {
  directory: 'kubernetes.io~nfs',
  inMemory: false,
  supports: (source) => source.nfs !== undefined,
  async setUp({ source, dir, claim, deps }) {
    const { server = '', path = '', readOnly = false } = source.nfs ?? {};
    const readsOnly = readOnly || claim?.readOnly === true;
    if (!(await isMountPoint(dir))) {
      if (!(await isThere(HELPERS))) {
        throw new VolumeError(
          'mount.nfs is not on this node: install the NFS client (package nfs-common or nfs-utils)',
        );
      }
      await mkdir(dir, { recursive: true, mode: 0o750 });
      const options = [...(readsOnly ? ['ro'] : []), ...(claim?.persistentVolume.spec?.mountOptions ?? [])];
      const host = server.includes(':') && !server.startsWith('[') ? `[${server}]` : server;
      const args = [
        '-t',
        'nfs',
        ...(options.length === 0 ? [] : ['-o', options.join(',')]),
        '--',
        `${host}:${path}`,
        dir,
      ];
      const { code, stdout, stderr } = await deps.exec.run('mount', args, { timeoutMs: MOUNT_TIMEOUT_MS });
      if (code !== 0) {
        const command = `Mounting command: mount\nMounting arguments: ${args.join(' ')}`;
        throw new VolumeError(`mount failed: exit status ${code}\n${command}\nOutput: ${stdout}${stderr}`);
      }
    }
    return { hostPath: dir, readOnly: readsOnly };
  },
};

async function isThere(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    try {
      await access(path);
      return true;
    } catch {
      // The next place.
    }
  }
  return false;
}
