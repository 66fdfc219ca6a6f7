import { readdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '../../base/errors.ts';

const SUFFIX = '.log';
const MAX_NAME_LENGTH = 255;

export interface LoggedContainer {
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly name: string;
  readonly id: string;
}

/** The file under which log collectors find a container's log: `POD_NAMESPACE_CONTAINER-ID.log`, cut to what a name may have. */
export function logLink(directory: string, { pod, name, id }: LoggedContainer): string {
  const base = `${pod.name}_${pod.namespace}_${name}-${id}`.slice(0, MAX_NAME_LENGTH - SUFFIX.length);
  return join(directory, `${base}${SUFFIX}`);
}

/** Makes the log of a container known in the directory of all logs (upstream's symbolic links in /var/log/containers). */
export async function linkLog(directory: string, container: LoggedContainer, logPath: string): Promise<void> {
  try {
    await symlink(logPath, logLink(directory, container));
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}

/** Removes the links of logs that are gone. */
export async function removeDeadLinks(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const path = join(directory, name);
    if (name.endsWith(SUFFIX) && (await isGone(path))) await rm(path, { force: true });
  }
}

function isGone(path: string): Promise<boolean> {
  return stat(path).then(
    () => false,
    (error: unknown) => errnoCode(error) === 'ENOENT',
  );
}
