import { mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The subPath of a mount leaves its volume, or cannot be made. */
export class SubPathError extends Error {
  override readonly name = 'SubPathError';
}

/**
 * The host path of `subPath` inside a volume, made as a directory where it is missing. Links are followed, but never out of
 * the volume: the result is free of them. Throws a SubPathError.
 */
export async function resolveSubPath(volumeDir: string, subPath: string): Promise<string> {
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  if (subPath.startsWith('/') || parts.includes('..'))
    throw new SubPathError(`subPath ${subPath} must stay inside the volume`);
  const root = await realpath(volumeDir);
  const rootMode = (await stat(root)).mode & 0o7777;
  let current = root;
  for (const part of parts) {
    let next = await realpath(join(current, part)).catch(() => undefined);
    if (next === undefined) {
      await mkdir(join(current, part), { mode: rootMode });
      next = await realpath(join(current, part));
    }
    if (next !== root && !next.startsWith(`${root}/`)) throw new SubPathError(`subPath ${subPath} leaves the volume`);
    current = next;
  }
  return current;
}
