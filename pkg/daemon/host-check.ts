import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Exec } from '../base/exec.ts';

export interface HostCheck {
  readonly name: string;
  /** `missing` keeps kube-lite from working; `warning` takes something away. */
  readonly level: 'ok' | 'warning' | 'missing';
  /** What was found, and how to mend it. */
  readonly detail: string;
}

export interface HostCheckDeps {
  readonly exec: Exec;
  /** The PATH to look for programs in. */
  readonly path: string;
  /** '/' but for tests. */
  readonly root: string;
}

interface Program {
  readonly name: string;
  readonly package: string;
  readonly needed: boolean;
  readonly purpose: string;
}

/** The host's part of design: kernel, a few programs, cgroups. */
const PROGRAMS: readonly Program[] = [
  { name: 'ip', package: 'iproute2', needed: true, purpose: 'sets up pod networks' },
  { name: 'nft', package: 'nftables', needed: true, purpose: 'routes Services' },
  { name: 'mount', package: 'mount', needed: true, purpose: 'mounts volumes' },
  { name: 'umount', package: 'mount', needed: true, purpose: 'unmounts volumes' },
  { name: 'nsenter', package: 'util-linux', needed: true, purpose: 'enters pod namespaces' },
  { name: 'setpriv', package: 'util-linux', needed: true, purpose: 'ends helpers with the daemon' },
  { name: 'conntrack', package: 'conntrack', needed: false, purpose: 'forgets UDP flows of pods that are gone' },
];

const MINIMUM_KERNEL = [5, 10] as const;
const NEEDED_CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
const MINIMUM_INOTIFY_INSTANCES = 512;

/** Looks at everything that kube-lite needs from the host; changes nothing. */
export async function checkHost(deps: HostCheckDeps): Promise<HostCheck[]> {
  const programs = await Promise.all(PROGRAMS.map((program) => checkProgram(program, deps)));
  return [
    checkKernel(release()),
    ...programs,
    await checkNftables(deps),
    await checkCgroups(deps),
    await checkOverlay(deps),
    await checkInotify(deps),
  ];
}

export function checkKernel(version: string): HostCheck {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const enough = major > MINIMUM_KERNEL[0] || (major === MINIMUM_KERNEL[0] && minor >= MINIMUM_KERNEL[1]);
  const detail = enough
    ? `Linux ${version}`
    : `Linux ${version} is too old; ${MINIMUM_KERNEL.join('.')} or newer is needed`;
  return { name: 'kernel', level: enough ? 'ok' : 'missing', detail };
}

async function checkProgram(program: Program, deps: HostCheckDeps): Promise<HostCheck> {
  for (const dir of deps.path.split(delimiter)) {
    const file = join(dir, program.name);
    if (dir !== '' && (await exists(file))) return { name: program.name, level: 'ok', detail: file };
  }
  const detail = `not found (it ${program.purpose}); install it: apt-get install ${program.package}`;
  return { name: program.name, level: program.needed ? 'missing' : 'warning', detail };
}

async function checkNftables(deps: HostCheckDeps): Promise<HostCheck> {
  const result = await deps.exec.run('nft', ['list', 'tables']).catch(() => undefined);
  if (result === undefined)
    return { name: 'nftables', level: 'missing', detail: 'nft does not start; install it: apt-get install nftables' };
  if (result.code === 0) return { name: 'nftables', level: 'ok', detail: 'the kernel answers' };
  return {
    name: 'nftables',
    level: 'missing',
    detail: `the kernel refuses: ${result.stderr.trim().split('\n')[0] ?? ''}; run as root, and load nf_tables`,
  };
}

async function checkCgroups(deps: HostCheckDeps): Promise<HostCheck> {
  const unified = await readFile(join(deps.root, 'sys/fs/cgroup/cgroup.controllers'), 'utf8').catch(() => undefined);
  let found: Set<string>;
  if (unified !== undefined) {
    found = new Set(unified.trim().split(/\s+/));
  } else {
    found = new Set();
    for (const name of NEEDED_CONTROLLERS)
      if (await exists(join(deps.root, 'sys/fs/cgroup', name, 'tasks'))) found.add(name);
  }
  const missing = NEEDED_CONTROLLERS.filter((name) => !found.has(name));
  const version = unified === undefined ? 'v1' : 'v2';
  if (missing.length === 0) return { name: 'cgroups', level: 'ok', detail: `cgroup ${version}` };
  const detail = `cgroup ${version} without ${missing.join(', ')}; enable them on the kernel command line (cgroup_enable=memory)`;
  return { name: 'cgroups', level: 'missing', detail };
}

async function checkOverlay(deps: HostCheckDeps): Promise<HostCheck> {
  const filesystems = await readFile(join(deps.root, 'proc/filesystems'), 'utf8');
  if (/\toverlay$/m.test(filesystems)) return { name: 'overlayfs', level: 'ok', detail: 'in the kernel' };
  return {
    name: 'overlayfs',
    level: 'warning',
    detail: 'not loaded; modprobe overlay, or images are kept as plain copies',
  };
}

async function checkInotify(deps: HostCheckDeps): Promise<HostCheck> {
  const file = 'proc/sys/fs/inotify/max_user_instances';
  const limit = Number(await readFile(join(deps.root, file), 'utf8'));
  if (limit >= MINIMUM_INOTIFY_INSTANCES) return { name: 'inotify', level: 'ok', detail: `${limit} instances` };
  const detail = `${limit} instances are few for many pods; sysctl -w fs.inotify.max_user_instances=8192 (kube-lite server does so when it may)`;
  return { name: 'inotify', level: 'warning', detail };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
