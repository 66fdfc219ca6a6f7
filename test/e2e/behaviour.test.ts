import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../behaviour/compare.ts';
import { knownDifferences } from '../behaviour/known-differences.ts';
import { readScenarios } from '../behaviour/scenario.ts';
import { Cluster, inNamespace, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';
import { Agent, Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the recordings of behaviour are not played: ${missing}`);

const CONCURRENCY = 20;
const scenarios = await readScenarios();
/** What the recorded cluster had, and had not. */
const FLAGS = ['--max-pods', '200', '--disable', 'local-storage,service-load-balancer'];

interface Played {
  readonly name: string;
  /** Of the last play. */
  readonly findings: readonly Finding[];
  /** Of the plays before it: what differs is played up to four times. */
  readonly earlier: readonly (readonly Finding[])[];
}

/** Two machines of one cluster, as the recordings have them. */
class Pair {
  readonly #netns: string;
  readonly #cluster: Cluster;
  readonly #agent: Agent;
  readonly #nodes: readonly string[];

  private constructor(netns: string, cluster: Cluster, agent: Agent, nodes: readonly string[]) {
    this.#netns = netns;
    this.#cluster = cluster;
    this.#agent = agent;
    this.#nodes = nodes;
  }

  /** `first` and the one after it are the machines. */
  static async start(hosts: Hosts, first: number): Promise<Pair> {
    const nodes = [`node-${first}`, `node-${first + 1}`] as const;
    const netns = hosts.netns(first);
    const cluster = await Cluster.start({ netns, nodeName: nodes[0], flags: FLAGS });
    try {
      const token = (await readFile(join(cluster.dataDir, 'server/token'), 'utf8')).trim();
      const server = `https://${hosts.address(first)}:${cluster.port}`;
      const flags = ['--max-pods', '200'];
      const second = { netns: hosts.netns(first + 1), nodeName: nodes[1], token, server, flags };
      return new Pair(netns, cluster, await Agent.start(cluster, second), nodes);
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  /** The player speaks to the API server from its machine. */
  play(part: 'together' | 'alone'): Promise<readonly Played[]> {
    const script = join(import.meta.dirname, '../behaviour/play.ts');
    const { kubeconfig } = this.#cluster;
    const where = ['--kubeconfig', kubeconfig, '--nodes', this.#nodes.join(',')];
    const what = ['--part', part, '--concurrency', String(CONCURRENCY)];
    const [command, args] = inNamespace(this.#netns, process.execPath, [script, ...where, ...what]);
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return new Promise((resolve, reject) => {
      let played: readonly Played[] | undefined;
      const fail = (error: unknown): void => {
        child.kill('SIGKILL');
        reject(error);
      };
      child.on('message', (message: { hook?: string; results?: readonly Played[] }) => {
        if (message.results !== undefined) played = message.results;
        if (message.hook !== undefined) this.#hook(message.hook).then(() => child.send({}), fail);
      });
      child.once('exit', (code) => {
        if (played === undefined) reject(new Error(`the player ended with ${code}`));
        else resolve(played);
      });
    });
  }

  async #hook(name: string): Promise<void> {
    if (name === 'NODE2_STOP') await this.#agent.signal('SIGTERM');
    else this.#agent.launch();
  }

  async remove(): Promise<void> {
    await endAll(
      () => this.#agent.remove(),
      () => this.#cluster.remove(),
    );
  }
}

/** The player has tried again by itself; the tests look at what it has found at last. */
describe.skipIf(missing !== undefined)('behaviour recorded from upstream', { retry: 0 }, () => {
  let hosts: Hosts;
  const pairs: Pair[] = [];
  const results: Played[] = [];

  // What touches nodes has machines of its own.
  beforeAll(async () => {
    hosts = await Hosts.create(4);
    const parts = [
      ['together', 1],
      ['alone', 3],
    ] as const;
    const playing = parts.map(async ([part, first]) => {
      const pair = await Pair.start(hosts, first);
      pairs.push(pair);
      results.push(...(await pair.play(part)));
    });
    // All of them, so that none goes on while what it needs is removed.
    const failed = (await Promise.allSettled(playing)).filter(({ status }) => status === 'rejected');
    for (const { name, earlier } of results)
      for (const [i, findings] of earlier.entries())
        console.warn(`${name} was played again, play ${i + 1} differed: ${JSON.stringify(findings)}`);
    expect(failed).toEqual([]);
  }, 900_000);

  afterAll(() => endAll(...pairs.map((pair) => () => pair.remove()), () => hosts?.remove()));

  test.each(scenarios.map(({ area, name }) => `${area}/${name}`))('%s', (name) => {
    const known = Object.keys(knownDifferences.get(name) ?? {});
    const findings = results.find((result) => result.name === name)?.findings;
    expect(findings?.filter(({ what }) => !known.includes(what))).toEqual([]);
  });
});
