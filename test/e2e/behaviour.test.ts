import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../behaviour/compare.ts';
import { knownDifferences } from '../behaviour/known-differences.ts';
import { readScenarios } from '../behaviour/scenario.ts';
import { Cluster, inNamespace, missingForE2E } from './cluster.ts';
import { Agent, Hosts } from './hosts.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`the recordings of behaviour are not played: ${missing}`);

const CONCURRENCY = 20;
const NODES = ['node-1', 'node-2'];
const areas = [...new Set((await readScenarios()).map(({ area }) => area))];

interface Played {
  readonly name: string;
  readonly findings: readonly Finding[];
}

describe.skipIf(missing !== undefined)('behaviour recorded from upstream', () => {
  let hosts: Hosts;
  let cluster: Cluster;
  let agent: Agent;
  let results: readonly Played[];

  beforeAll(async () => {
    hosts = await Hosts.create(2);
    cluster = await Cluster.start({ netns: hosts.netns(1), nodeName: 'node-1', flags: ['--max-pods', '200'] });
    const token = (await readFile(join(cluster.dataDir, 'server/token'), 'utf8')).trim();
    const server = `https://${hosts.address(1)}:${cluster.port}`;
    const second = { netns: hosts.netns(2), nodeName: 'node-2', token, server, flags: ['--max-pods', '200'] };
    agent = await Agent.start(cluster, second);
    results = await playedIn(hosts.netns(1), cluster, agent);
  }, 1_500_000);

  afterAll(async () => {
    await agent?.remove();
    await cluster?.remove();
    await hosts?.remove();
  });

  test.each(areas)('%s', (area) => {
    const found = results
      .filter(({ name }) => name.startsWith(`${area}/`))
      .flatMap(({ name, findings }) => {
        const known = Object.keys(knownDifferences.get(name) ?? {});
        return findings
          .filter(({ what }) => !known.includes(what))
          .map(({ what, problem }) => `${name}: ${what}: ${problem}`);
      });
    expect(found).toEqual([]);
  });
});

/** The player speaks to the API server from its machine. */
function playedIn(netns: string, cluster: Cluster, agent: Agent): Promise<readonly Played[]> {
  const script = join(import.meta.dirname, '../behaviour/play.ts');
  const flags = ['--kubeconfig', cluster.kubeconfig, '--nodes', NODES.join(','), '--concurrency', String(CONCURRENCY)];
  const [command, args] = inNamespace(netns, process.execPath, [script, ...flags]);
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    let played: readonly Played[] | undefined;
    child.on('message', (message: { hook?: string; results?: readonly Played[] }) => {
      if (message.results !== undefined) played = message.results;
      if (message.hook === undefined) return;
      const done = (): void => void child.send({});
      if (message.hook === 'NODE2_STOP') agent.signal('SIGTERM').then(done, reject);
      else {
        agent.launch();
        done();
      }
    });
    child.once('exit', (code) => {
      if (played === undefined) reject(new Error(`the player ended with ${code}`));
      else resolve(played);
    });
  });
}
