import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { giveToGroup } from './ownership.ts';
import { VolumeError, type VolumePlugin } from './volume.ts';

/** A directory or a block device of this node, as a PersistentVolume names it. */
export const localVolume: VolumePlugin = {
  directory: 'kubernetes.io~local-volume',
  inMemory: false,
  supports: (source) => source.local !== undefined,
  async setUp({ pod, source, claim }) {
    const path = source.local?.path ?? '';
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) throw new VolumeError(`path "${path}" does not exist`, 'NewMounter initialization');
    if (claim?.persistentVolume.spec?.volumeMode === 'Block') return { hostPath: path, device: device(path, info) };
    if (!info.isDirectory()) {
      throw new VolumeError(`path "${path}" is not a directory; this node makes no file system on a local volume`);
    }
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (fsGroup !== undefined && claim?.readOnly !== true) await giveToGroup(path, fsGroup, fsGroupChangePolicy);
    return { hostPath: path };
  },
};

function device(path: string, info: Stats): string {
  if (info.isBlockDevice()) return path;
  throw new VolumeError(`path "${path}" is not a block device`, 'NewBlockVolumeMapper initialization');
}
