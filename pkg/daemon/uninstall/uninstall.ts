import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errnoCode } from '../../base/errors.ts';
import { type Exec, execOutput } from '../../base/exec.ts';
import type { InstancePaths } from '../../config/index.ts';
import { removeDeadLinks } from '../../kubelet/index.ts';
import { removeKubeletLinks, STANDARD_KUBELET_DIR } from '../kubelet-links.ts';
import { layoutOf } from '../layout.ts';
import { instanceProcesses, listProcesses } from '../processes.ts';
import { removePodCgroups } from './cgroups.ts';
import { mountPointsBelow } from './mounts.ts';

export interface UninstallDeps {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  readonly self: number;
  /** Called before each step. */
  readonly report: (step: string) => void;
}

const STOP_TIMEOUT_MS = 15_000;
const KILL_TIMEOUT_MS = 10_000;
const RETRY_MS = 50;

/**
 * Removes everything that an instance made on this machine: processes, mounts, interfaces, nftables table, cgroups, files.
 * What it did not make stays. Throws when something of its own cannot be removed.
 */
export async function uninstall(paths: InstancePaths, deps: UninstallDeps): Promise<void> {
  const layout = layoutOf(paths);
  const podUIDs = new Set(await readdir(join(layout.kubeletDir, 'pods')).catch(() => []));

  deps.report('stopping kube-lite');
  await stopDaemon(join(paths.runDir, 'supervisor.pid'), deps);
  await stopDaemon(layout.pidFile, deps);
  deps.report('ending containers');
  await endProcesses(layout.payloadDir, podUIDs, deps);
  deps.report('unmounting');
  await unmountAll([paths.dataDir, paths.runDir], deps);
  deps.report('removing network');
  await removeNetwork(paths.nftTable, layout.networkStateFile, deps);
  deps.report('removing cgroups');
  await removePodCgroups('/sys/fs/cgroup', paths.cgroupRoot, podUIDs);
  deps.report('removing files');
  await removeKubeletLinks(layout.kubeletDir, STANDARD_KUBELET_DIR);
  await removeFiles(paths, podUIDs);
}

async function stopDaemon(pidFile: string, deps: UninstallDeps): Promise<void> {
  const text = await readFile(pidFile, 'utf8').catch(() => undefined);
  const pid = Number(text?.trim());
  if (!Number.isInteger(pid) || pid <= 1 || pid === deps.self) return;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!command.includes('kube-lite')) return;
  signal(pid, 'SIGTERM', deps);
  const deadline = deps.clock.monotonic() + STOP_TIMEOUT_MS;
  while (await isRunning(pid)) {
    if (deps.clock.monotonic() > deadline) signal(pid, 'SIGKILL', deps);
    await deps.clock.sleep(RETRY_MS);
  }
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) Z /.test(stat);
}

async function endProcesses(payloadDir: string, podUIDs: ReadonlySet<string>, deps: UninstallDeps): Promise<void> {
  const deadline = deps.clock.monotonic() + KILL_TIMEOUT_MS;
  for (;;) {
    const left = instanceProcesses(await listProcesses(), payloadDir, podUIDs, deps.self);
    if (left.length === 0) return;
    if (deps.clock.monotonic() > deadline)
      throw new Error(`these processes do not end: ${left.map((info) => info.pid).join(', ')}`);
    for (const info of left) signal(info.pid, 'SIGKILL', deps);
    await deps.clock.sleep(RETRY_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals, deps: UninstallDeps): void {
  try {
    deps.kill(pid, name);
  } catch (error) {
    if (errnoCode(error) !== 'ESRCH') throw error;
  }
}

async function unmountAll(dirs: readonly string[], deps: UninstallDeps): Promise<void> {
  for (const point of mountPointsBelow(await readFile('/proc/self/mountinfo', 'utf8'), dirs)) {
    const result = await deps.exec.run('umount', [point]);
    if (result.code !== 0) await deps.exec.run('umount', ['--lazy', point]);
  }
  const left = mountPointsBelow(await readFile('/proc/self/mountinfo', 'utf8'), dirs);
  if (left.length > 0) throw new Error(`cannot unmount ${left.join(', ')}`);
}

/** What the network component notes down when it changes the host. */
interface NetworkState {
  /** Arguments of `ip` that take a change back. */
  readonly undo?: readonly (readonly string[])[];
  /** Other commands that do, the program first. */
  readonly commands?: readonly (readonly string[])[];
  /** Kernel settings (paths below /proc/sys) and what they were before. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

async function removeNetwork(nftTable: string, stateFile: string, deps: UninstallDeps): Promise<void> {
  const tables = await execOutput(deps.exec, 'nft', ['list', 'tables']).catch(() => '');
  for (const line of tables.split('\n')) {
    const [, family, name] = line.trim().split(' ');
    if (name === nftTable && family !== undefined)
      await execOutput(deps.exec, 'nft', ['delete', 'table', family, name]);
  }
  const text = await readFile(stateFile, 'utf8').catch(() => '{}');
  const state = JSON.parse(text) as NetworkState;
  // What is gone already (a reboot takes addresses and routes with it) is not an error.
  for (const args of state.undo ?? []) await deps.exec.run('ip', args);
  for (const [program = '', ...args] of state.commands ?? []) {
    // A firewall that has been removed took its rules with it.
    await deps.exec.run(program, args).catch(() => undefined);
  }
  for (const [name, value] of Object.entries(state.sysctls ?? {})) await restoreSysctl(name, value);
}

/** A setting of an interface that is gone cannot be put back, nor need it be. */
async function restoreSysctl(name: string, value: string): Promise<void> {
  const path = join('/proc/sys', normalize(`/${name}`));
  await writeFile(path, value).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw error;
  });
}

async function removeFiles(paths: InstancePaths, podUIDs: ReadonlySet<string>): Promise<void> {
  const logs = await readdir(paths.podLogDir).catch(() => []);
  for (const name of logs) {
    const uid = name.slice(name.lastIndexOf('_') + 1);
    if (podUIDs.has(uid)) await rm(join(paths.podLogDir, name), { recursive: true, force: true });
  }
  await rmdirIfEmpty(paths.podLogDir);
  await removeDeadLinks(paths.containerLogDir);
  await rmdirIfEmpty(paths.containerLogDir);
  for (const name of ['server', 'agent', 'payload', 'kube-lite.yaml'])
    await rm(join(paths.dataDir, name), { recursive: true, force: true });
  for (const file of [paths.kubeconfig, layoutOf(paths).runLog]) await rm(file, { force: true });
  await rm(paths.runDir, { recursive: true, force: true });
  await rmdirIfEmpty(paths.dataDir);
}

async function rmdirIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch((error: unknown) => {
    const code = errnoCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
  });
}
