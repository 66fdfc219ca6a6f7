import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { systemClock } from '../../pkg/base/clock.ts';
import { agentOptions, standaloneConfig } from '../../pkg/config/index.ts';
import type { LocalProject } from '../../pkg/daemon/standalone/local-project.ts';
import { UserError } from './errors.ts';
import { addOptionFlags, readOptions } from './option-flags.ts';

const DEFAULT_DATA_DIR = '/var/lib/kube-lite-run';
/** Flags that are handed on to the agent. */
const SHARED = agentOptions.filter(({ name }) => ['data-dir', 'run-dir', 'pod-cidr', 'node-ip'].includes(name));

/** The flags of commands that run pods without a cluster. */
export function addProjectFlags(command: Command): Command {
  return addOptionFlags(command, SHARED).option('--timeout <seconds>', 'how long to wait', '120');
}

export interface OpenProject {
  readonly project: LocalProject;
  readonly timeoutMs: number;
  readonly logFile: string;
  /** Where the logs of containers are, and what says how these are. */
  readonly podLogDir: string;
  readonly podStatesFile: string;
}

/** The project of a command's data directory. Throws UserError and ConfigError. */
export async function openProject(command: Command): Promise<OpenProject> {
  if (process.getuid?.() !== 0)
    throw new UserError(`kube-lite ${command.name()} manages containers and networks and must run as root; use sudo`);
  const timeout = command.getOptionValue('timeout') as string;
  if (!/^\d+s?$/.test(timeout)) throw new UserError('--timeout: give seconds, like 60');
  const flags = command.getOptionValue('dataDir') === undefined ? { 'data-dir': DEFAULT_DATA_DIR } : {};
  const values = { ...(await readOptions(command, agentOptions)), ...flags, standalone: true };
  const config = standaloneConfig(values, hostname());
  if (config === undefined) throw new UserError('not standalone');
  const { paths, podCIDRs, nodeIPs } = config;
  const args = ['agent', '--standalone', '--data-dir', paths.dataDir, '--run-dir', paths.runDir];
  args.push('--pod-cidr', podCIDRs.join(','), ...(nodeIPs.length === 0 ? [] : ['--node-ip', nodeIPs.join(',')]));
  const { LocalProject } = await import('../../pkg/daemon/standalone/local-project.ts');
  const { layoutOf } = await import('../../pkg/daemon/layout.ts');
  const layout = layoutOf(paths);
  const { podStatesFile, runLog: logFile } = layout;
  const project = new LocalProject({
    layout,
    clock: systemClock,
    podsOf,
    startAgent: () => startDetached(args, paths.dataDir, logFile),
    stopProcess: (pid) => process.kill(pid, 'SIGTERM'),
    isRunning,
  });
  const { podLogDir } = paths;
  return { project, timeoutMs: Number.parseInt(timeout, 10) * 1000, logFile, podLogDir, podStatesFile };
}

/** The pods of a manifest, as `namespace/name`. Throws what checkManifest throws. */
export async function podsOf(file: string, text: string): Promise<string[]> {
  const { checkManifest } = await import('../../pkg/daemon/standalone/check-manifest.ts');
  const objects = await checkManifest(file, text);
  return objects
    .filter(({ kind }) => kind === 'Pod')
    .map(({ metadata }) => `${metadata.namespace ?? 'default'}/${metadata.name}`);
}

function startDetached(args: readonly string[], dataDir: string, logFile: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const log = openSync(logFile, 'a', 0o600);
  spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' }).unref();
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Nobody has this id.
    return false;
  }
}
