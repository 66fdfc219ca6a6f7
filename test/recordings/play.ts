import { parseArgs } from 'node:util';
import { Connection } from './connection.ts';
import { knownDifferences } from './known-differences.ts';
import { playAll } from './player.ts';
import { readScenarios } from './recording.ts';

/** Plays recordings against a running server: `scripts/node test/recordings/play.ts --kubeconfig FILE [--area a,b] [--name RE]`. */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '/etc/kube-lite/kube-lite.yaml' },
    area: { type: 'string' },
    name: { type: 'string', default: '' },
    concurrency: { type: 'string', default: '8' },
  },
});
const areas = values.area?.split(',');
const pattern = new RegExp(values.name);
const scenarios = (await readScenarios()).filter(
  ({ name, area }) => (areas === undefined || areas.includes(area)) && pattern.test(name),
);
const connection = await Connection.fromKubeconfig(values.kubeconfig);
const began = performance.now();
const results = await playAll(connection, scenarios, Number(values.concurrency), (name) => knownDifferences.has(name));
connection.close();
const failed = results.filter(({ failure }) => failure !== undefined);
for (const { scenario, failure } of failed) {
  const known = knownDifferences.get(scenario.name);
  console.log(`${known === undefined ? 'FAIL ' : 'KNOWN'} ${scenario.name}: ${known ?? failure}`);
}
for (const { scenario, earlier } of results)
  if (earlier !== undefined) console.log(`AGAIN ${scenario.name}: ${earlier}`);
const unknown = failed.filter(({ scenario }) => !knownDifferences.has(scenario.name));
const seconds = ((performance.now() - began) / 1000).toFixed(1);
console.log(
  `${results.length - failed.length} of ${results.length} passed in ${seconds} s; ${unknown.length} unexpected`,
);
