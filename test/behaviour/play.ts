/**
 * Plays recordings of behaviour against a running cluster:
 *   scripts/node test/behaviour/play.ts --kubeconfig FILE [--only REGEX] [--nodes NAME,NAME] [--concurrency N]
 */
import { parseArgs } from 'node:util';
import { playAll } from './player.ts';
import { readScenarios } from './scenario.ts';
import { connect } from './target.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    only: { type: 'string', default: '' },
    nodes: { type: 'string', default: '' },
    concurrency: { type: 'string', default: '10' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is missing');
const target = await connect(values.kubeconfig, values.nodes.split(','), '/var/lib/kube-lite/agent/kubelet');
const only = new RegExp(values.only);
const scenarios = (await readScenarios()).filter(({ area, name }) => only.test(`${area}/${name}`));
const results = await playAll(target, scenarios, Number(values.concurrency));
for (const { scenario, findings } of results) {
  for (const { what, problem } of findings) console.log(`${scenario.area}/${scenario.name}: ${what}: ${problem}`);
}
const failed = results.filter(({ findings }) => findings.length > 0).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
await target.close();
