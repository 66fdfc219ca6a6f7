import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskUsage {
  readonly bytes: number;
  readonly inodes: number;
}

const BLOCK = 512;

/**
 * What a tree takes on its disk: allocated blocks, a file with several links once, nothing of other file systems. What is
 * removed meanwhile does not count; a missing tree takes nothing.
 */
export async function diskUsage(root: string): Promise<DiskUsage> {
  const info = await lstat(root).catch(() => undefined);
  if (info === undefined) return { bytes: 0, inodes: 0 };
  const linked = new Set<number>();
  let bytes = info.blocks * BLOCK;
  let inodes = 1;
  const pending = info.isDirectory() ? [root] : [];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    for (const name of await readdir(dir).catch(() => [])) {
      const path = join(dir, name);
      const entry = await lstat(path).catch(() => undefined);
      if (entry === undefined || entry.dev !== info.dev || linked.has(entry.ino)) continue;
      if (entry.nlink > 1 && !entry.isDirectory()) linked.add(entry.ino);
      bytes += entry.blocks * BLOCK;
      inodes++;
      if (entry.isDirectory()) pending.push(path);
    }
  }
  return { bytes, inodes };
}
