import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ProjectedFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid?: number;
}

/** Files by relative path (`a`, `dir/b`). */
export type Payload = ReadonlyMap<string, ProjectedFile>;

const DATA_LINK = '..data';
const NEW_DATA_LINK = '..data_tmp';
/** What fsGroup adds to read-only files and directories. */
const GROUP_FILE_BITS = 0o440;
const GROUP_DIR_BITS = 0o2550;

/** A path that would leave the volume or collide with the writer's own names. */
export class PayloadPathError extends Error {
  override readonly name = 'PayloadPathError';
}

/** Upstream's rules for file names of projected volumes. */
export function checkPayloadPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/')) throw new PayloadPathError(`invalid path: must be relative path: ${path}`);
  if (path.length > 4096 || parts.some((part) => part.length > 255))
    throw new PayloadPathError(`invalid path: too long: ${path}`);
  if (parts.includes('..') || parts.includes('.') || parts.includes('') || parts[0]?.startsWith('..')) {
    throw new PayloadPathError(`invalid path: must not contain '..': ${path}`);
  }
}

/**
 * Brings a directory to a payload so that readers see all of the old or all of the new files: the files are in a directory
 * named by time, `..data` links to it, and each visible name links through `..data`. Returns whether anything changed.
 */
export async function writeAtomically(
  target: string,
  payload: Payload,
  nowMs: number,
  fsGroup?: number,
): Promise<boolean> {
  for (const path of payload.keys()) checkPayloadPath(path);
  await mkdir(target, { recursive: true, mode: 0o777 });
  const oldDir = await readlink(join(target, DATA_LINK)).catch(() => undefined);
  if (oldDir !== undefined && (await samePayload(join(target, oldDir), payload, fsGroup))) return false;
  const newDir = timestampName(nowMs, oldDir);
  await writePayload(join(target, newDir), payload, fsGroup);
  await rm(join(target, NEW_DATA_LINK), { force: true });
  await symlink(newDir, join(target, NEW_DATA_LINK));
  await rename(join(target, NEW_DATA_LINK), join(target, DATA_LINK));
  await linkVisibleNames(target, payload);
  for (const entry of await readdir(target)) {
    if (entry.startsWith('..') && entry !== DATA_LINK && entry !== newDir)
      await rm(join(target, entry), { recursive: true });
  }
  if (fsGroup !== undefined) await giveToGroup(target, fsGroup);
  return true;
}

async function writePayload(dir: string, payload: Payload, fsGroup: number | undefined): Promise<void> {
  const dirs = new Set<string>([dir]);
  await mkdir(dir, { mode: 0o755 });
  for (const [path, file] of payload) {
    const full = join(dir, path);
    for (let parent = dirname(full); !dirs.has(parent); parent = dirname(parent)) dirs.add(parent);
    await mkdir(dirname(full), { recursive: true, mode: 0o755 });
    await writeFile(full, file.data);
    if (file.uid !== undefined || fsGroup !== undefined) await chown(full, file.uid ?? 0, fsGroup ?? 0);
    await chmod(full, wantedMode(file, fsGroup));
  }
  for (const each of dirs) {
    await chmod(each, 0o755);
    if (fsGroup !== undefined) await giveToGroup(each, fsGroup);
  }
}

async function giveToGroup(dir: string, fsGroup: number): Promise<void> {
  const { uid, mode } = await stat(dir);
  await chown(dir, uid, fsGroup);
  await chmod(dir, (mode & 0o7777) | GROUP_DIR_BITS);
}

function wantedMode(file: ProjectedFile, fsGroup: number | undefined): number {
  return fsGroup === undefined ? file.mode : file.mode | GROUP_FILE_BITS;
}

async function samePayload(dir: string, payload: Payload, fsGroup: number | undefined): Promise<boolean> {
  const present = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = present.filter((entry) => !entry.isDirectory());
  if (files.length !== payload.size) return false;
  for (const [path, file] of payload) {
    const full = join(dir, path);
    try {
      const [info, data] = await Promise.all([stat(full), readFile(full)]);
      if ((info.mode & 0o7777) !== wantedMode(file, fsGroup) || !data.equals(file.data)) return false;
    } catch {
      return false;
    }
  }
  return true;
}

async function linkVisibleNames(target: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? ''));
  for (const name of wanted) {
    const path = join(target, name);
    const present = await lstat(path).catch(() => undefined);
    if (present === undefined) await symlink(join(DATA_LINK, name), path);
  }
  for (const name of await readdir(target)) {
    if (!name.startsWith('..') && !wanted.has(name)) await unlink(join(target, name));
  }
}

/** `..2006_01_02_15_04_05.123456789`, never the name of the directory in use. */
function timestampName(nowMs: number, inUse: string | undefined): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
  for (let nanos = Math.trunc((nowMs % 1000) * 1e6); ; nanos++) {
    const name = `..${stamp}.${String(nanos).padStart(9, '0')}`;
    if (name !== inUse) return name;
  }
}
