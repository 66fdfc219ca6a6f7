import { lstat, mkdir, readlink, rm, rmdir, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { aborted } from '../base/abort.ts';
import { errnoCode } from '../base/errors.ts';
import { type Component, component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';

/** Where device plugins, drivers and monitoring agents look for a kubelet, whatever its own directory is. */
export const STANDARD_KUBELET_DIR = '/var/lib/kubelet';
/** What they look for there. */
const NAMES = ['device-plugins', 'plugins_registry', 'pod-resources'];

/** Links the directories of `standardDir` that others expect to those of our kubelet; what another kubelet has there stays. */
export function kubeletLinks(kubeletDir: string, standardDir: string, logger: Logger): Component {
  return component('kubelet-links', async (signal, ready) => {
    for (const name of NAMES) {
      const [path, target] = [join(standardDir, name), join(kubeletDir, name)];
      await mkdir(target, { recursive: true, mode: 0o750 });
      try {
        if (!(await link(path, target)))
          logger.warn({ path, target }, 'another kubelet has this path: it is not linked');
      } catch (error) {
        // A node without plugins does without: the directory may be on a file system that is only read.
        logger.warn({ err: error, path, target }, 'path could not be linked');
      }
    }
    ready();
    await aborted(signal);
  });
}

/** Removes the links that lead to our kubelet, and the directory when it is empty then. */
export async function removeKubeletLinks(kubeletDir: string, standardDir: string): Promise<void> {
  for (const name of NAMES) {
    const path = join(standardDir, name);
    if ((await linkTarget(path)) === join(kubeletDir, name)) await rm(path, { force: true });
  }
  await removeIfEmpty(standardDir);
}

/** False: there is something of somebody else's. */
async function link(path: string, target: string): Promise<boolean> {
  const present = await linkTarget(path);
  if (present === target) return true;
  // Whose link leads nowhere is gone, and an empty directory is what a volume of a pod made there.
  if (present !== undefined && !(await exists(path))) await rm(path, { force: true });
  else if (present === undefined) await removeIfEmpty(path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await symlink(target, path);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined: it is no link, or nothing. */
async function linkTarget(path: string): Promise<string | undefined> {
  const info = await lstat(path).catch(() => undefined);
  return info?.isSymbolicLink() === true ? readlink(path) : undefined;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    const code = errnoCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'ENOTDIR' && code !== 'EBUSY') throw error;
  });
}
