/** `kube-lite agent --hollow`: nodes that only pretend, in one process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Cluster, ended, eventually, executable, hasEnded, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

export interface HollowNodesOptions {
  readonly count: number;
  /** Further flags. */
  readonly flags?: readonly string[];
}

export class HollowNodes {
  readonly dataDir: string;
  readonly #process: ChildProcess;

  private constructor(dataDir: string, child: ChildProcess) {
    this.dataDir = dataDir;
    this.#process = child;
  }

  /** Starts the nodes `hollow-1` to `hollow-N`, and waits until all are Ready. */
  static async start(cluster: Cluster, { count, flags = [] }: HollowNodesOptions): Promise<HollowNodes> {
    const nodes = await HollowNodes.launched(['--hollow', String(count), '--kubeconfig', cluster.kubeconfig, ...flags]);
    try {
      await eventually(
        `${count} hollow nodes Ready`,
        async () => {
          if (hasEnded(nodes.#process)) throw new Error(`the process ended with ${nodes.#process.exitCode}`);
          const list = await cluster.ok(['get', 'nodes', '-l', 'kube-lite/hollow', '--no-headers']);
          return list.split('\n').filter((line) => / Ready /.test(line)).length === count;
        },
        120_000 + count * 100,
      );
    } catch (error) {
      const log = await nodes.log();
      await nodes.remove().catch((late) => console.error(`what did not start could not be removed: ${late}`));
      throw new Error(`${String(error)}; the log ends:\n${log.slice(-4000)}`, { cause: error });
    }
    return nodes;
  }

  /** Starts the process without waiting for anything. */
  static async launched(flags: readonly string[]): Promise<HollowNodes> {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-hollow-'));
    const log = openSync(join(dataDir, 'kube-lite.log'), 'a');
    const own = ['--data-dir', dataDir, '--node-name', 'hollow', '--node-ip', '127.0.0.1'];
    const child = spawn(executable, ['agent', ...own, ...flags], { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    return new HollowNodes(dataDir, child);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  log(): Promise<string> {
    return readFile(join(this.dataDir, 'kube-lite.log'), 'utf8');
  }

  ended(): Promise<number | null> {
    return ended(this.#process);
  }

  /** Stops the nodes and removes their files by `kube-lite uninstall`; fails when something is left. */
  async remove(): Promise<void> {
    this.#process.kill('SIGTERM');
    await endAll(
      () => this.ended(),
      async () => {
        const result = await runCommand(executable, ['uninstall', '--data-dir', this.dataDir, '--yes']);
        expect(result, 'kube-lite uninstall').toMatchObject({ code: 0 });
        expect(await readdir(this.dataDir).catch(() => [])).toEqual([]);
        await rm(this.dataDir, { recursive: true, force: true });
      },
    );
  }
}
