/** A cluster under test: the built executable with a data directory of its own, and stock kubectl. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claim } from '../../pkg/base/testing/claim.ts';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { buildTestImages } from '../images/build.ts';
import { endAll } from './ending.ts';

const root = join(import.meta.dirname, '../..');
export const executable = join(root, 'dist/kube-lite');

/** How long a test waits for what comes within a moment on a machine that has nothing else to do. */
const PATIENCE_MS = 120_000;
/** How long a command may take, such as one that waits itself. */
const COMMAND_MS = 150_000;
/** How long a process may take to end in good order. */
const END_MS = 90_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ClusterOptions {
  /** Further flags of `kube-lite server`. */
  readonly flags?: readonly string[];
  /** An existing, empty directory to use instead of a new one. */
  readonly dataDir?: string;
  /** Must lie below 10.64.0.0; default: a small network of its own. */
  readonly clusterCIDR?: string;
  /** Default: a small network of its own beside that of the pods. */
  readonly serviceCIDR?: string;
  /** False: the API only, without a node. */
  readonly node?: boolean;
  /** The network namespace that is its machine; default: this one's. */
  readonly netns?: string;
  readonly nodeName?: string;
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { env: { ...process.env, ...options.env }, maxBuffer: 2 ** 27, timeout: options.timeoutMs ?? COMMAND_MS },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number' && error.signal === undefined) reject(error);
        else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 124, stdout, stderr });
      },
    );
    // A command may end without reading its input.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

/** Waits until `check` gives something other than undefined or false; fails with the last reason after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms${last === undefined ? '' : `: ${last}`}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A process that has been told to end is waited for; one that does not end is killed, and the test fails. Gives its exit code;
 * null when a signal ended it.
 */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, END_MS);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  if (isLate) throw new Error(`process ${child.pid} did not end within ${END_MS} ms`);
  return code;
}

/** Whether a process runs no more. */
export function hasEnded(child: ChildProcess | undefined): boolean {
  return child === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Networks for pods and Services that no other cluster under test has, nor this machine: another must not be in the way. */
async function freeNetworks(): Promise<readonly [pods: string, services: string]> {
  const taken = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  const start = randomInt(64);
  for (let i = 0; i < 64; i++) {
    const networks = [0, 1].map((member) => `10.${64 + 2 * ((start + i) % 64) + member}`);
    if (taken.some((address) => networks.some((network) => address.startsWith(`${network}.`)))) continue;
    if (await claim(`network-${networks[0]}`)) return [`${networks[0]}.0.0/16`, `${networks[1]}.0.0/16`];
  }
  throw new Error('no network is free for a cluster');
}

/** A command as it is run on another "machine": in its network namespace. */
export function inNamespace(
  netns: string | undefined,
  command: string,
  args: readonly string[],
): [command: string, args: string[]] {
  return netns === undefined ? [command, [...args]] : ['nsenter', [`--net=/run/netns/${netns}`, command, ...args]];
}

export class Cluster {
  readonly dataDir: string;
  readonly port: number;
  readonly kubeconfig: string;
  readonly logFile: string;
  readonly nodeName: string;
  readonly #netns: string | undefined;
  readonly #flags: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(dataDir: string, port: number, flags: readonly string[], options: ClusterOptions) {
    this.nodeName = options.nodeName ?? 'e2e-node';
    this.#netns = options.netns;
    this.dataDir = dataDir;
    this.port = port;
    this.kubeconfig = join(dataDir, 'kube-lite.yaml');
    this.logFile = join(dataDir, 'kube-lite.log');
    this.#flags = flags;
  }

  /** Starts a cluster on a fresh data directory, with the test images, and waits until pods can be made and run. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kube-lite-e2e-')));
    const port = await freePort();
    const kubeletPort = await freePort();
    const [pods, services] = await freeNetworks();
    const flags = [
      '--data-dir',
      dataDir,
      '--https-listen-port',
      String(port),
      '--kubelet-port',
      String(kubeletPort),
      '--node-name',
      options.nodeName ?? 'e2e-node',
      '--cluster-cidr',
      options.clusterCIDR ?? pods,
      '--service-cidr',
      options.serviceCIDR ?? services,
      ...(options.node === false ? ['--disable', 'kubelet'] : []),
      ...(options.flags ?? []),
    ];
    const cluster = new Cluster(dataDir, port, flags, options);
    const imageDir = join(dataDir, 'agent/images');
    if (options.node !== false) await buildTestImages(imageDir);
    cluster.launch();
    try {
      if (options.node === false) await cluster.apiReady();
      else {
        await cluster.nodeReady();
        await eventually(
          'an account for pods',
          async () => (await cluster.kubectl(['get', 'sa', 'default'])).code === 0,
        );
      }
    } catch (error) {
      await cluster.remove().catch((late) => console.error(`what did not start could not be removed: ${late}`));
      throw error;
    }
    return cluster;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  /** Starts the server process (again). */
  launch(): void {
    const log = openSync(this.logFile, 'a');
    const [command, args] = inNamespace(this.#netns, executable, ['server', ...this.#flags]);
    this.#process = spawn(command, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
  }

  apiReady(): Promise<unknown> {
    return eventually('API ready', async () => {
      if (hasEnded(this.#process))
        throw new Error(`the server ended; its log ends:\n${(await this.log()).slice(-4000)}`);
      return (await this.kubectl(['get', '--raw', '/readyz'])).stdout === 'ok';
    });
  }

  async nodeReady(timeoutMs = PATIENCE_MS): Promise<void> {
    try {
      await eventually(
        'node Ready',
        async () => {
          if (hasEnded(this.#process)) throw new Error(`the server ended with ${this.#process?.exitCode}`);
          await access(this.kubeconfig);
          const result = await this.kubectl([
            'get',
            'node',
            this.nodeName,
            '-o',
            'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
          ]);
          return result.stdout === 'True';
        },
        timeoutMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}; the log ends:\n${(await this.log()).slice(-4000)}`, { cause: error });
    }
  }

  log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }

  /** Sends a signal to the server and waits for its end. */
  async signal(name: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined) throw new Error('the server is not running');
    this.#process = undefined;
    child.kill(name);
    return ended(child);
  }

  /** Runs kubectl; does not throw for a non-zero exit code. */
  kubectl(args: readonly string[], input?: string, timeoutMs?: number): Promise<CommandResult> {
    const [command, words] = inNamespace(this.#netns, 'kubectl', ['--kubeconfig', this.kubeconfig, ...args]);
    return runCommand(command, words, {
      input,
      timeoutMs,
      env: { HOME: this.dataDir },
    });
  }

  /** Runs kubectl, which must succeed, and returns what it printed. */
  async ok(args: readonly string[], input?: string, timeoutMs?: number): Promise<string> {
    const result = await this.kubectl(args, input, timeoutMs);
    expect(result, `kubectl ${args.join(' ')}`).toMatchObject({ code: 0 });
    return result.stdout;
  }

  /** Applies YAML. */
  apply(yaml: string): Promise<string> {
    return this.ok(['apply', '-f', '-'], yaml);
  }

  /** Waits until a container's log is as it has to be: its last lines may come after its end is known. */
  logs(args: readonly string[], check: (text: string) => void): Promise<unknown> {
    return eventually(`the log of ${args.join(' ')}`, async () => {
      check(await this.ok(['logs', ...args]));
      return true;
    });
  }

  /** Gets an object as JSON. */
  async get<T = Record<string, never>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ok(['get', ...args, '-o', 'json'])) as T;
  }

  /** A kubectl that goes on until it is killed. */
  spawnKubectl(args: readonly string[]): ChildProcess {
    const [command, words] = inNamespace(this.#netns, 'kubectl', ['--kubeconfig', this.kubeconfig, ...args]);
    return spawn(command, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: this.dataDir },
    });
  }

  /** Stops the server and removes everything that it made, by `kube-lite uninstall`; fails when something is left. */
  async remove(): Promise<void> {
    await endAll(
      () => this.#process && this.signal('SIGTERM'),
      () => removed(this.#netns, this.dataDir),
    );
  }
}

/** Removes what a server or an agent made on a machine, by `kube-lite uninstall`; fails when something is left. */
export async function removed(netns: string | undefined, dataDir: string): Promise<void> {
  const [command, args] = inNamespace(netns, executable, ['uninstall', '--data-dir', dataDir, '--yes']);
  expect(await runCommand(command, args), 'kube-lite uninstall').toMatchObject({ code: 0 });
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  expect(mounts.split('\n').filter((line) => line.includes(dataDir))).toEqual([]);
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

/** Says why the end-to-end tests cannot run here, or undefined. They never pass over in silence. */
export async function missingForE2E(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root';
  const found = await access(executable).then(
    () => true,
    () => false,
  );
  if (!found) return 'dist/kube-lite is missing (scripts/build)';
  const kubectl = await runCommand('kubectl', ['version', '--client']).catch(() => undefined);
  return kubectl?.code === 0 ? undefined : 'kubectl is missing';
}
