import { access } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../recordings/connection.ts';
import { knownDifferences } from '../recordings/known-differences.ts';
import { playAll, type Result } from '../recordings/player.ts';
import { readScenarios } from '../recordings/recording.ts';
import { Cluster, executable } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await access(executable).then(
  () => undefined,
  () => 'dist/kube-lite is missing (scripts/build)',
);
if (missing !== undefined) console.error(`the recordings are not played: ${missing}`);

const CONCURRENCY = 8;
const scenarios = await readScenarios();

/** What differs is played again by the player; the tests look at what was found at last. */
describe.skipIf(missing !== undefined)('answers recorded from upstream', { retry: 0 }, () => {
  let cluster: Cluster;
  let connection: Connection;
  let results: readonly Result[];

  beforeAll(async () => {
    // The answers are the API server's own: controllers would be at the same objects.
    cluster = await Cluster.start({ node: false, flags: ['--disable', 'kubelet,controllers,scheduler,deploy'] });
    connection = await Connection.fromKubeconfig(cluster.kubeconfig);
    results = await playAll(connection, scenarios, CONCURRENCY, (name) => knownDifferences.has(name));
    for (const { scenario, earlier } of results)
      if (earlier !== undefined) console.warn(`${scenario.name} was played again: ${earlier}`);
  });

  afterAll(() =>
    endAll(
      () => connection?.close(),
      () => cluster?.remove(),
    ),
  );

  test.each([...new Set(scenarios.map(({ area }) => area))])('%s', (area) => {
    const failures = results
      .filter(({ scenario, failure }) => scenario.area === area && failure !== undefined)
      .filter(({ scenario }) => !knownDifferences.has(scenario.name))
      .map(({ scenario, failure }) => `${scenario.name}: ${failure}`);
    expect(failures).toEqual([]);
  });

  test('every known difference is one', () => {
    const failed = new Set(results.filter(({ failure }) => failure !== undefined).map(({ scenario }) => scenario.name));
    expect([...knownDifferences.keys()].filter((name) => !failed.has(name))).toEqual([]);
  });
});
