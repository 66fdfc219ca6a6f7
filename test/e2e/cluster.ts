/** A cluster under test: the built executable with a data directory of its own, and stock kubectl. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { buildTestImages } from '../images/build.ts';

const root = join(import.meta.dirname, '../..');
export const executable = join(root, 'dist/kube-lite');

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
      { env: { ...process.env, ...options.env }, maxBuffer: 2 ** 27, timeout: options.timeoutMs ?? 120_000 },
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
  timeoutMs = 60_000,
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
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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

  /** Starts a cluster on a fresh data directory, with the test images, and waits until its node is Ready. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kube-lite-e2e-')));
    const port = await freePort();
    const kubeletPort = await freePort();
    // Of its own: another cluster on this machine, installed or under test, must not be in the way.
    const networks = 64 + 2 * randomInt(64);
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
      options.clusterCIDR ?? `10.${networks}.0.0/16`,
      '--service-cidr',
      options.serviceCIDR ?? `10.${networks + 1}.0.0/16`,
      ...(options.node === false ? ['--disable', 'kubelet'] : []),
      ...(options.flags ?? []),
    ];
    const cluster = new Cluster(dataDir, port, flags, options);
    const imageDir = join(dataDir, 'agent/images');
    if (options.node !== false) await buildTestImages(imageDir);
    cluster.launch();
    try {
      if (options.node === false) await cluster.apiReady();
      else await cluster.nodeReady();
    } catch (error) {
      await cluster.remove();
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
    return eventually('API ready', async () => (await this.kubectl(['get', '--raw', '/readyz'])).stdout === 'ok');
  }

  async nodeReady(timeoutMs = 60_000): Promise<void> {
    try {
      await eventually(
        'node Ready',
        async () => {
          if (this.#process?.exitCode !== null) throw new Error(`the server ended with ${this.#process?.exitCode}`);
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
    const ended =
      child.exitCode !== null
        ? Promise.resolve(child.exitCode)
        : new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(name);
    const code = await ended;
    this.#process = undefined;
    return code;
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
    if (this.#process !== undefined) await this.signal('SIGTERM');
    const [command, args] = inNamespace(this.#netns, executable, ['uninstall', '--data-dir', this.dataDir, '--yes']);
    const result = await runCommand(command, args);
    expect(result, 'kube-lite uninstall').toMatchObject({ code: 0 });
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    expect(mounts.split('\n').filter((line) => line.includes(this.dataDir))).toEqual([]);
    await rm(this.dataDir, { recursive: true, force: true });
  }
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
