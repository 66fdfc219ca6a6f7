import { readFile } from 'node:fs/promises';
import { type Exec, execOutput } from '../../base/exec.ts';

/** The mount points of a `/proc/PID/mountinfo` text that are `dir` or below it, the deepest (then the newest) first. Pure. */
export function mountsBelow(mountinfo: string, dir: string): string[] {
  const found: string[] = [];
  for (const line of mountinfo.split('\n')) {
    const point = line.split(' ')[4];
    if (point === undefined) continue;
    const path = point.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    if (path === dir || path.startsWith(`${dir}/`)) found.push(path);
  }
  const depth = (path: string): number => path.split('/').length;
  return found.reverse().sort((a, b) => depth(b) - depth(a));
}

export async function readMountInfo(): Promise<string> {
  return readFile('/proc/self/mountinfo', 'utf8');
}

/** Whether something is mounted at `dir` itself, be it of the same file system. */
export async function isMounted(dir: string): Promise<boolean> {
  return mountsBelow(await readMountInfo(), dir).includes(dir);
}

/**
 * Takes away every mount at or below `dir`, whoever made it (a container may have, by Bidirectional propagation): what is removed
 * then can only be ours. Throws when one stays.
 */
export async function unmountAll(dir: string, exec: Exec): Promise<void> {
  const mounts = mountsBelow(await readMountInfo(), dir);
  if (mounts.length === 0) return;
  await execOutput(exec, 'umount', ['--lazy', ...mounts]);
  const left = mountsBelow(await readMountInfo(), dir);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
}
