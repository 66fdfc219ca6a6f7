import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '../../base/errors.ts';

/**
 * Removes the cgroups of these pods, and the `kubepods` parents that are empty then, from every hierarchy. With a
 * `cgroupRoot` of the instance's own, that goes too.
 */
export async function removePodCgroups(
  cgroupDir: string,
  cgroupRoot: string,
  podUIDs: ReadonlySet<string>,
): Promise<void> {
  const entries = await readdir(cgroupDir).catch((): string[] => []);
  const hierarchies = entries.includes('cgroup.controllers')
    ? [cgroupDir]
    : entries.map((entry) => join(cgroupDir, entry));
  for (const hierarchy of hierarchies) {
    const root = join(hierarchy, cgroupRoot);
    await removeMatching(join(root, 'kubepods'), podUIDs);
    await removeIfEmpty(join(root, 'kubepods/burstable'));
    await removeIfEmpty(join(root, 'kubepods/besteffort'));
    await removeIfEmpty(join(root, 'kubepods'));
    if (cgroupRoot !== '/') await removeIfEmpty(root);
  }
}

async function removeMatching(dir: string, podUIDs: ReadonlySet<string>): Promise<void> {
  for (const child of await directories(dir)) {
    const uid = /^pod(.+)$/.exec(child)?.[1];
    if (uid === undefined) await removeMatching(join(dir, child), podUIDs);
    else if (podUIDs.has(uid)) await removeTree(join(dir, child));
  }
}

async function removeTree(dir: string): Promise<void> {
  for (const child of await directories(dir)) await removeTree(join(dir, child));
  await removeIfEmpty(dir);
}

async function directories(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** A cgroup with children or processes stays: it is somebody else's. */
async function removeIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch((error: unknown) => {
    const code = errnoCode(error);
    if (code !== 'ENOENT' && code !== 'EBUSY' && code !== 'ENOTEMPTY' && code !== 'ENOTDIR') throw error;
  });
}
