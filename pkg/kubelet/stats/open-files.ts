import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** What processes have open. */
export interface OpenFiles {
  readonly files: number;
  /** Those of them that are sockets. */
  readonly sockets: number;
}

/** What the processes in the cgroup itself have open; those that end meanwhile do not count. */
export async function openFiles(version: 1 | 2, path: string, mount = MOUNT): Promise<OpenFiles> {
  const file = join(mount, version === 1 ? 'memory' : '', path, 'cgroup.procs');
  const procs = await readFile(file, 'utf8').catch(() => '');
  let files = 0;
  let sockets = 0;
  for (const pid of procs.split('\n').filter((line) => line !== '')) {
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
    files += fds.length;
    // One after the other: a process may have a hundred thousand.
    for (const fd of fds) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (link.startsWith('socket:')) sockets++;
    }
  }
  return { files, sockets };
}
