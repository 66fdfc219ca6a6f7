import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { errnoCode } from '../../base/errors.ts';
import { type Exec, execOutput } from '../../base/exec.ts';
import { unmountAll } from './mount-table.ts';

/** The subPath of a mount leaves its volume, or cannot be made. */
export class SubPathError extends Error {
  override readonly name = 'SubPathError';
}

/** Linux' O_PATH: only a place in the tree, which needs no right to read. Node has no name for it. */
const O_PATH = 0o10000000;

/**
 * Opens `subPath` inside a volume, as a place only. Links are followed, but never out of the volume; whoever changes the volume
 * at the same time cannot lead us out of it either, because every step is taken from the directory that the step before opened.
 * `make`: what is missing is made as a directory; otherwise that is an ENOENT. Throws a SubPathError. The caller closes the handle.
 */
export async function openSubPath(
  volumeDir: string,
  subPath: string,
  { make }: { readonly make: boolean },
): Promise<FileHandle> {
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  if (subPath.startsWith('/') || parts.includes('..'))
    throw new SubPathError(`subPath ${subPath} must stay inside the volume`);
  const root = await realpath(volumeDir);
  let current = await open(root, O_PATH | constants.O_NOFOLLOW);
  try {
    for (const part of await withoutLinks(root, parts, subPath)) {
      const next = await step(current, part, subPath, make);
      await current.close();
      current = next;
    }
    return current;
  } catch (error) {
    await current.close();
    throw error;
  }
}

/** The names below `root` that `parts` lead to once links are followed; what is missing is taken as it is. */
async function withoutLinks(root: string, parts: readonly string[], subPath: string): Promise<string[]> {
  for (let known = parts.length; known > 0; known--) {
    const real = await realpath([root, ...parts.slice(0, known)].join('/')).catch(() => undefined);
    if (real === undefined) continue;
    if (real !== root && !real.startsWith(root === '/' ? root : `${root}/`))
      throw new SubPathError(`subPath ${subPath} leaves the volume`);
    const names = relative(root, real).split('/');
    return [...names.filter((name) => name !== ''), ...parts.slice(known)];
  }
  return [...parts];
}

async function step(from: FileHandle, name: string, subPath: string, make: boolean): Promise<FileHandle> {
  const path = `${fdPath(from)}/${name}`;
  const mode = (await from.stat()).mode & 0o7777;
  const made = make && (await makeDirectory(path, mode));
  const next = await open(path, O_PATH | constants.O_NOFOLLOW);
  if ((await next.stat()).isSymbolicLink()) {
    await next.close();
    throw new SubPathError(`subPath ${subPath} changed while it was opened`);
  }
  // The umask of this process must not take the group's rights away.
  if (made) await chmod(fdPath(next), mode);
  return next;
}

/** False: something is there already. */
async function makeDirectory(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * The text of a file inside a volume, at most `maxBytes` of it. Whoever writes the volume can neither lead us out of it nor have
 * us wait on something that is no file. Throws a SubPathError or an error of the file system.
 */
export async function readInside(volumeDir: string, path: string, maxBytes: number): Promise<string> {
  const place = await openSubPath(volumeDir, path, { make: false });
  try {
    const info = await place.stat();
    if (!info.isFile()) throw new SubPathError(`${path} is not a file`);
    if (info.size > maxBytes) throw new SubPathError(`${path} is larger than ${maxBytes} bytes`);
    const file = await open(fdPath(place), 'r');
    try {
      const buffer = Buffer.alloc(info.size);
      const { bytesRead } = await file.read(buffer, 0, info.size, 0);
      return buffer.subarray(0, bytesRead).toString();
    } finally {
      await file.close();
    }
  } finally {
    await place.close();
  }
}

/** Mounts `subPath` of a volume on `target`, in place of what may be mounted there. Throws a SubPathError. */
export async function bindSubPath(volumeDir: string, subPath: string, target: string, exec: Exec): Promise<void> {
  const handle = await openSubPath(volumeDir, subPath, { make: true });
  try {
    await unmountAll(target, exec);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    if ((await handle.stat()).isDirectory()) await mkdir(target, { mode: 0o750 });
    else await writeFile(target, '', { mode: 0o640 });
    // The kernel, not mount, must look at what the descriptor is: its path may lead elsewhere by now.
    await execOutput(exec, 'mount', ['--no-canonicalize', '--bind', fdPath(handle, String(process.pid)), target]);
  } finally {
    await handle.close();
  }
}

function fdPath({ fd }: FileHandle, pid = 'self'): string {
  return `/proc/${pid}/fd/${fd}`;
}
