/** Several "machines": network namespaces on one segment, each with agents or a server of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildTestImages } from '../images/build.ts';
import {
  type Cluster,
  type CommandResult,
  ended,
  eventually,
  executable,
  hasEnded,
  inNamespace,
  removed,
  runCommand,
} from './cluster.ts';
import { endAll } from './ending.ts';

/** Machines `1` to `n` at 198.18.0.N (RFC 2544: for tests), behind one switch that is their gateway. */
export class Hosts {
  readonly #prefix = `kl-e2e-${process.pid}-`;
  readonly #count: number;
  /** Where the last number of an address is not the machine's. */
  readonly #moved = new Map<number, number>();

  private constructor(count: number) {
    this.#count = count;
  }

  static async create(count: number): Promise<Hosts> {
    const hosts = new Hosts(count);
    await hosts.#must('ip', ['netns', 'add', hosts.netns(0)]);
    await hosts.sh(
      0,
      'ip link set lo up; ip link add br0 type bridge; ip addr add 198.18.0.254/24 dev br0; ip link set br0 up',
    );
    for (let i = 1; i <= count; i++) {
      await hosts.#must('ip', ['netns', 'add', hosts.netns(i)]);
      await hosts.sh(
        i,
        `ip link set lo up; ip link add eth0 type veth peer name port${i} netns ${hosts.netns(0)};` +
          `ip addr add ${hosts.address(i)}/24 dev eth0; ip link set eth0 up; ip route add default via 198.18.0.254`,
      );
      await hosts.sh(0, `ip link set port${i} master br0 up`);
    }
    return hosts;
  }

  /** The name of a machine's network namespace; 0 is the switch. */
  netns(host: number): string {
    return `${this.#prefix}${host}`;
  }

  address(host: number): string {
    return `198.18.0.${this.#moved.get(host) ?? host}`;
  }

  /** Gives a machine another address in place of the one that it has. */
  async readdress(host: number, last: number): Promise<void> {
    const before = this.address(host);
    this.#moved.set(host, last);
    const address = this.address(host);
    await this.sh(
      host,
      `ip addr del ${before}/24 dev eth0; ip addr add ${address}/24 dev eth0; ip route replace default via 198.18.0.254`,
    );
  }

  run(host: number, command: string, args: readonly string[], timeoutMs?: number): Promise<CommandResult> {
    const [program, words] = inNamespace(this.netns(host), command, args);
    return runCommand(program, words, timeoutMs === undefined ? {} : { timeoutMs });
  }

  async sh(host: number, script: string): Promise<string> {
    const result = await this.run(host, 'sh', ['-ec', script]);
    expect(result, script).toMatchObject({ code: 0 });
    return result.stdout;
  }

  /** Cuts a machine from the segment, or puts it back. */
  async link(host: number, state: 'up' | 'down'): Promise<void> {
    await this.sh(0, `ip link set port${host} ${state}`);
  }

  async remove(): Promise<void> {
    for (let i = this.#count; i >= 0; i--) await runCommand('ip', ['netns', 'del', this.netns(i)]);
  }

  async #must(command: string, args: readonly string[]): Promise<void> {
    expect(await runCommand(command, args), `${command} ${args.join(' ')}`).toMatchObject({ code: 0 });
  }
}

export interface AgentOptions {
  readonly netns: string;
  readonly nodeName: string;
  readonly token: string;
  /** `https://host:port`. */
  readonly server: string;
  readonly flags?: readonly string[];
  /** Puts further image archives into a directory, before the agent looks there. */
  readonly images?: (directory: string) => Promise<void>;
}

/** `kube-lite agent` on a machine of its own. */
export class Agent {
  readonly dataDir: string;
  readonly logFile: string;
  readonly #options: AgentOptions;
  #process: ChildProcess | undefined;

  private constructor(dataDir: string, options: AgentOptions) {
    this.dataDir = dataDir;
    this.logFile = join(dataDir, 'kube-lite.log');
    this.#options = options;
  }

  /** Joins, and waits until the cluster has the node Ready. */
  static async start(cluster: Cluster, options: AgentOptions): Promise<Agent> {
    const agent = await Agent.launched(options);
    try {
      await agent.ready(cluster);
    } catch (error) {
      const log = await agent.log();
      await agent.remove().catch((late) => console.error(`what did not start could not be removed: ${late}`));
      throw new Error(`${String(error)}; the agent's log ends:\n${log.slice(-4000)}`, { cause: error });
    }
    return agent;
  }

  /** Starts without waiting for anything. */
  static async launched(options: AgentOptions): Promise<Agent> {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-agent-'));
    await buildTestImages(join(dataDir, 'agent/images'));
    await options.images?.(join(dataDir, 'agent/images'));
    const agent = new Agent(dataDir, options);
    agent.launch();
    return agent;
  }

  launch(): void {
    const { netns, nodeName, token, server, flags = [] } = this.#options;
    const own = ['--data-dir', this.dataDir, '--node-name', nodeName, '--join', server, '--token', token];
    const [command, args] = inNamespace(netns, executable, ['agent', ...own, ...flags]);
    const log = openSync(this.logFile, 'a');
    this.#process = spawn(command, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
  }

  /** Waits until the node is Ready again, by a heartbeat of this process. */
  async ready(cluster: Cluster): Promise<void> {
    const { nodeName } = this.#options;
    await eventually(`node ${nodeName} Ready`, async () => {
      if (hasEnded(this.#process)) throw new Error(`the agent ended with ${this.#process?.exitCode}`);
      const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
      return (await cluster.kubectl(['get', 'node', nodeName, '-o', path])).stdout === 'True';
    });
  }

  log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the agent is not running');
    return pid;
  }

  /** Waits for the end of a process that ends by itself. */
  async ended(): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    return child === undefined ? null : ended(child);
  }

  async signal(name: NodeJS.Signals): Promise<number | null> {
    this.#process?.kill(name);
    return this.ended();
  }

  /** Stops the agent and removes all that it made on its machine. */
  async remove(): Promise<void> {
    await endAll(
      () => this.signal('SIGTERM'),
      () => removed(this.#options.netns, this.dataDir),
    );
  }
}
