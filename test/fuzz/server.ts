/** The built executable without a node: API server, controllers and scheduler on a data directory of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { ended, eventually, executable } from '../e2e/cluster.ts';
import { type Credentials, readCredentials, Target } from './target.ts';

export class FuzzedServer {
  readonly credentials: Credentials;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(directory: string, process: ChildProcess, credentials: Credentials) {
    this.#directory = directory;
    this.#process = process;
    this.pid = process.pid ?? 0;
    this.credentials = credentials;
  }

  /** Starts a server and waits until it is ready (there is no node that could become so). */
  static async start(): Promise<FuzzedServer> {
    const directory = await mkdtemp(join(tmpdir(), 'kube-lite-fuzz-'));
    const port = await freePort();
    const kubeconfig = join(directory, 'kube-lite.yaml');
    const flags = [
      ...['--data-dir', directory, '--run-dir', join(directory, 'run'), '--write-kubeconfig', kubeconfig],
      ...['--https-listen-port', String(port), '--bind-address', '127.0.0.1', '--node-ip', '127.0.0.1'],
      ...['--node-name', 'fuzz-node', '--disable', 'kubelet,proxy,dns'],
    ];
    const log = openSync(join(directory, 'kube-lite.log'), 'a');
    const child = spawn(executable, ['server', ...flags], { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    try {
      const credentials = await eventually('kubeconfig', () => readCredentials(kubeconfig));
      const target = new Target(credentials);
      await eventually('/readyz', async () => (await target.json('GET', '/readyz')).status === 200);
      target.close();
      return new FuzzedServer(directory, child, credentials);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  log(): Promise<string> {
    return readFile(join(this.#directory, 'kube-lite.log'), 'utf8');
  }

  /** Stops it, gracefully; returns its exit code. */
  async stop(): Promise<number | null> {
    if (!this.isRunning) return this.#process.exitCode;
    this.#process.kill('SIGTERM');
    return ended(this.#process);
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
