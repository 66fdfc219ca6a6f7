import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { VolumeError, type VolumePlugin } from './volume.ts';

/** A path of the node; its `type` is checked, or made, first. */
export const hostPathVolume: VolumePlugin = {
  directory: 'kubernetes.io~host-path',
  inMemory: false,
  supports: (source) => source.hostPath !== undefined,
  async setUp({ source }) {
    const { path = '', type = '' } = source.hostPath ?? {};
    await checkType(path, type);
    return { hostPath: path };
  },
};

interface TypeCheck {
  readonly noun: string;
  readonly matches: (info: Stats) => boolean;
  readonly create?: (path: string) => Promise<void>;
}

const directory = { noun: 'directory', matches: (info: Stats) => info.isDirectory() };
const file = { noun: 'file', matches: (info: Stats) => info.isFile() };
const TYPES: Readonly<Record<string, TypeCheck>> = {
  Directory: directory,
  DirectoryOrCreate: {
    ...directory,
    create: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o755 });
    },
  },
  File: file,
  FileOrCreate: {
    ...file,
    create: async (path) => {
      await (await open(path, 'a', 0o644)).close();
    },
  },
  Socket: { noun: 'socket file', matches: (info) => info.isSocket() },
  CharDevice: { noun: 'character device', matches: (info) => info.isCharacterDevice() },
  BlockDevice: { noun: 'block device', matches: (info) => info.isBlockDevice() },
};

async function checkType(path: string, type: string): Promise<void> {
  if (type === '') return;
  const check = TYPES[type];
  if (check === undefined) throw new VolumeError(`hostPath type ${type} is not known`);
  let info = await stat(path).catch(() => undefined);
  if (info === undefined && check.create !== undefined) {
    await check.create(path);
    info = await stat(path);
  }
  if (info === undefined || !check.matches(info)) {
    throw new VolumeError(`hostPath type check failed: ${path} is not a ${check.noun}`);
  }
}
