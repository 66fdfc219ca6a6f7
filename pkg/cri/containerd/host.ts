import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exec } from '../../base/exec.ts';

/** What of the host decides about containerd's configuration. */
export interface ContainerdHost {
  readonly snapshotter: 'overlayfs' | 'native';
  readonly restrictOOMScoreAdj: boolean;
  readonly disableAppArmor: boolean;
}

const CAP_SYS_RESOURCE = 24n;

export async function detectContainerdHost(rootDir: string, exec: Exec): Promise<ContainerdHost> {
  const [status, apparmor, parser, overlay] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N'),
    access('/sbin/apparmor_parser').then(
      () => true,
      () => false,
    ),
    canMountOverlay(rootDir, exec),
  ]);
  return {
    snapshotter: overlay ? 'overlayfs' : 'native',
    restrictOOMScoreAdj: !hasCapability(status, CAP_SYS_RESOURCE),
    disableAppArmor: !apparmor.startsWith('Y') || !parser,
  };
}

/** Whether a process with this /proc/PID/status has the capability with this number. */
export function hasCapability(processStatus: string, capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(processStatus)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
}

/** Some file systems (an overlay itself, some network file systems) cannot hold an overlay's upper layer. */
async function canMountOverlay(rootDir: string, exec: Exec): Promise<boolean> {
  await mkdir(rootDir, { recursive: true });
  const work = await mkdtemp(join(rootDir, 'overlay-check-'));
  try {
    const dirs = ['lower', 'upper', 'work', 'merged'];
    for (const dir of dirs) await mkdir(join(work, dir));
    const options = `lowerdir=${work}/lower,upperdir=${work}/upper,workdir=${work}/work`;
    const merged = join(work, 'merged');
    const mounted = await exec.run('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
    if (mounted.code !== 0) return false;
    await exec.run('umount', [merged]);
    return true;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
