/**
 * Plays recordings of behaviour against a running cluster:
 *   scripts/node test/behaviour/play.ts --kubeconfig FILE --nodes NAME,NAME [--only REGEX] [--part together|alone] [--concurrency N]
 * As a child process with a channel it sends its results, and asks for what a script does to the machines.
 */
import { parseArgs } from 'node:util';
import { knownDifferences } from './known-differences.ts';
import { playAll, type Result } from './player.ts';
import { readScenarios, type Scenario } from './scenario.ts';
import { connect } from './target.ts';

/** Change what all pods see of the nodes: they are played one after the other, and not beside the others. */
const ALONE = /^(cluster\/node-|scheduling\/taint-|statefulsets-daemonsets\/ds-node-taint)/;
/** Of those that differ, so many are played again at once. */
const AGAIN = 3;

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    only: { type: 'string', default: '' },
    nodes: { type: 'string', default: '' },
    part: { type: 'string', default: '' },
    concurrency: { type: 'string', default: '10' },
  },
});
if (values.kubeconfig === undefined) throw new Error('--kubeconfig is missing');
const target = await connect(values.kubeconfig, values.nodes.split(','), process.send === undefined ? undefined : hook);
const only = new RegExp(values.only);
const scenarios = (await readScenarios()).filter(({ area, name }) => only.test(`${area}/${name}`));
const isAlone = ({ area, name }: Scenario): boolean => ALONE.test(`${area}/${name}`);
const { part, concurrency } = values;
const together = part === 'alone' ? [] : scenarios.filter((scenario) => !isAlone(scenario));
const alone = part === 'together' ? [] : scenarios.filter(isAlone);
const results = [...(await playTwice(together, Number(concurrency))), ...(await playTwice(alone, 1))];
await target.close();
const failed = results.filter(isDifferent).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.send?.({ results: results.map(({ scenario, findings }) => ({ name: nameOf(scenario), findings })) });
process.disconnect?.();

/** What differs is played once more, when less else happens: a busy machine makes differences of its own. */
async function playTwice(wanted: readonly Scenario[], atOnce: number): Promise<Result[]> {
  const first = await playAll(target, wanted, atOnce, tell);
  const again = first.filter(isDifferent).map(({ scenario }) => scenario);
  return [
    ...first.filter((result) => !isDifferent(result)),
    ...(await playAll(target, again, Math.min(atOnce, AGAIN), tell)),
  ];
}

function isDifferent({ scenario, findings }: Result): boolean {
  const known = Object.keys(knownDifferences.get(nameOf(scenario)) ?? {});
  return findings.some(({ what }) => !known.includes(what));
}

/** Says how a scenario went, as soon as that is known. */
function tell(result: Result): void {
  const { scenario, findings } = result;
  console.log(`${isDifferent(result) ? 'differs' : 'as recorded'}: ${nameOf(scenario)}`);
  for (const { what, problem } of findings) console.log(`  ${what}: ${problem}`);
}

function nameOf({ area, name }: Scenario): string {
  return `${area}/${name}`;
}

/** Has the parent process do what a script does to a machine. */
async function hook(name: string): Promise<void> {
  const done = new Promise<void>((resolve) => process.once('message', () => resolve()));
  process.send?.({ hook: name });
  await done;
}
