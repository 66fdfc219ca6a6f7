import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** The executable's path; '' for kernel threads and processes that just ended. */
  readonly executable: string;
  /** Lines of /proc/PID/cgroup. */
  readonly cgroups: string;
  readonly zombie: boolean;
}

/** A snapshot of all processes. `procDir` is /proc but for tests. */
export async function listProcesses(procDir = '/proc'): Promise<ProcessInfo[]> {
  const pids = (await readdir(procDir)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => readProcess(procDir, Number(pid))));
  return found.filter((info) => info !== undefined);
}

async function readProcess(procDir: string, pid: number): Promise<ProcessInfo | undefined> {
  const dir = join(procDir, String(pid));
  try {
    const stat = await readFile(join(dir, 'stat'), 'utf8');
    // The command's name, in parentheses, may itself hold parentheses and blanks.
    const [state = '', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cgroups = await readFile(join(dir, 'cgroup'), 'utf8');
    const executable = await readlink(join(dir, 'exe')).catch(() => '');
    return {
      pid,
      parent: Number(parent),
      executable: executable.replace(/ \(deleted\)$/, ''),
      cgroups,
      zombie: state === 'Z',
    };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

/**
 * The processes that an instance started and that may still run: everything from its payload (containerd, shims, runc),
 * all descendants of those, and members of its pods' cgroups. Ourselves excluded.
 */
export function instanceProcesses(
  all: readonly ProcessInfo[],
  payloadDir: string,
  podUIDs: ReadonlySet<string>,
  self: number,
): ProcessInfo[] {
  const children = new Map<number, ProcessInfo[]>();
  for (const info of all) children.set(info.parent, [...(children.get(info.parent) ?? []), info]);
  const found = new Map<number, ProcessInfo>();
  const add = (info: ProcessInfo): void => {
    if (found.has(info.pid) || info.pid === self) return;
    found.set(info.pid, info);
    for (const child of children.get(info.pid) ?? []) add(child);
  };
  for (const info of all) {
    const ours =
      info.executable.startsWith(`${payloadDir}/`) || [...podUIDs].some((uid) => info.cgroups.includes(`/pod${uid}`));
    if (ours) add(info);
  }
  return [...found.values()].filter((info) => !info.zombie);
}
