import { constants, type Stats } from 'node:fs';
import { lchown, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const SETGID = 0o2000;
const FILE_BITS = 0o660;
const DIRECTORY_BITS = 0o770 | SETGID;
const PERMISSIONS = 0o7777;

/**
 * Gives a volume to the pod's fsGroup: every file's group is it and may read and write, directories hand the group on. With
 * policy OnRootMismatch a tree whose root is right already is left as it is. Links are not followed.
 */
export async function giveToGroup(root: string, fsGroup: number, policy: string | undefined): Promise<void> {
  if (policy === 'OnRootMismatch' && isGiven(await lstat(root), fsGroup)) return;
  await give(root, fsGroup);
}

/** The root comes last: a walk that was cut off is done again. */
async function give(path: string, fsGroup: number): Promise<void> {
  const info = await lstat(path);
  if (info.isDirectory()) for (const name of await readdir(path)) await give(join(path, name), fsGroup);
  if (isGiven(info, fsGroup)) return;
  await lchown(path, info.uid, fsGroup);
  if (info.isFile() || info.isDirectory()) await addBits(path, wantedBits(info));
}

async function addBits(path: string, bits: number): Promise<void> {
  // Somebody may have put a link (or a FIFO) in its place meanwhile.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await file.chmod(((await file.stat()).mode & PERMISSIONS) | bits);
  } finally {
    await file.close();
  }
}

function wantedBits(info: Stats): number {
  return info.isDirectory() ? DIRECTORY_BITS : FILE_BITS;
}

function isGiven(info: Stats, fsGroup: number): boolean {
  if (info.gid !== fsGroup) return false;
  return !(info.isFile() || info.isDirectory()) || (info.mode & wantedBits(info)) === wantedBits(info);
}
