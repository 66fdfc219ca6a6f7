/**
 * Plays recordings of behaviour against a running cluster:
 *   scripts/node test/behaviour/play.ts --kubeconfig FILE --nodes NAME,NAME [--only REGEX] [--part together|alone] [--concurrency N]
 * As a child process with a channel it sends its results, and asks for what a script does to the machines.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Finding } from './compare.ts';
import { knownDifferences } from './known-differences.ts';
import { playAll, type Result, RUN_PREFIX } from './player.ts';
import { readScenarios, type Scenario } from './scenario.ts';
import { connect } from './target.ts';

/** Change what all pods see of the nodes: they are played one after the other, and not beside the others. */
const ALONE = /^(cluster\/node-|scheduling\/taint-|statefulsets-daemonsets\/ds-node-taint)/;
/** Of those that differ, so many are played again at once; then what still does, twice one by one. */
const AGAIN = 3;
const GONE_MS = 60_000;

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
const results = [
  ...(await playUntilSame(together, [Number(concurrency), AGAIN, 1, 1])),
  ...(await playUntilSame(alone, [1, 1, 1, 1])),
];
await target.close();
const failed = results.filter(isDifferent).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.send?.({ results: results.map(({ scenario, ...result }) => ({ name: nameOf(scenario), ...result })) });
process.disconnect?.();

interface Played extends Result {
  /** What differed in plays before the last one. */
  readonly earlier: readonly (readonly Finding[])[];
}

/**
 * What differs is played again, when less else happens: a busy machine makes differences of its own. `atOnce`: how many at once
 * in each play; what differs in all of them differs.
 */
async function playUntilSame(wanted: readonly Scenario[], atOnce: readonly number[]): Promise<Played[]> {
  const done: Played[] = [];
  let pending: readonly Played[] = wanted.map((scenario) => ({ scenario, findings: [], earlier: [] }));
  for (const [i, concurrency] of atOnce.entries()) {
    if (pending.length === 0) break;
    if (i > 0) {
      console.log(
        `play ${i + 1}, ${concurrency} at once: ${pending.map(({ scenario }) => nameOf(scenario)).join(', ')}`,
      );
      await allGone();
    }
    const options = { concurrency, isDifferent, played: tell };
    const played = await playAll(
      target,
      pending.map(({ scenario }) => scenario),
      options,
    );
    const before = pending;
    const now = played.map((result): Played => {
      const last = before.find(({ scenario }) => scenario === result.scenario);
      return { ...result, earlier: i === 0 || last === undefined ? [] : [...last.earlier, last.findings] };
    });
    done.push(...now.filter((result) => !isDifferent(result)));
    pending = now.filter(isDifferent);
  }
  return [...done, ...pending];
}

/** Waits until nothing is left of scenarios that were played; not for ever. */
async function allGone(): Promise<void> {
  for (const deadline = Date.now() + GONE_MS; Date.now() < deadline; await sleep(1000)) {
    const { text } = await target.connection.send('GET', '/api/v1/namespaces');
    const { items } = JSON.parse(text) as { items: readonly { readonly metadata: { readonly name: string } }[] };
    if (items.every(({ metadata }) => !metadata.name.startsWith(RUN_PREFIX))) return;
  }
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
