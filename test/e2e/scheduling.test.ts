import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../behaviour/compare.ts';
import { knownDifferences } from '../behaviour/known-differences.ts';
import { play, type Result } from '../behaviour/player.ts';
import { readScenarios, type Scenario } from '../behaviour/scenario.ts';
import { StandInNodes } from '../behaviour/stand-in-node.ts';
import { connect } from '../behaviour/target.ts';
import { Cluster, type CommandResult, eventually, executable, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const NODES = ['node1', 'node2'];
/** Of other components: pods of unknown nodes are collected after a minute, taints evict. */
const NOT_OF_THE_SCHEDULER = new Set(['nodename-unknown-node', 'taint-noexecute']);
const scenarios = (await readScenarios()).filter(
  ({ area, name }) => area === 'scheduling' && !NOT_OF_THE_SCHEDULER.has(name),
);

/** What the scheduler says and writes; the rest is the nodes', which are stand-ins here. */
function ofTheScheduler({ area, name }: Scenario, findings: readonly Finding[]): Finding[] {
  const known = knownDifferences.get(`${area}/${name}`) ?? {};
  return findings.filter(
    ({ what }) =>
      /^(step|script)|default-scheduler|PodScheduled|nodeName|nominatedNodeName|DisruptionTarget/.test(what) &&
      !Object.keys(known).some((start) => what.startsWith(start)),
  );
}

const priorityClass = (name: string, value: number): string => `
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: ${name}}
value: ${value}
`;
const fooPod = (name: string, priority: string, namespace = 'default'): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  terminationGracePeriodSeconds: 1
  priorityClassName: ${priority}
  containers:
  - {name: c, image: "busybox:test", resources: {limits: {scheduling.k8s.io/foo: "4"}}}
`;
const customPod = (name: string, schedulerName: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {schedulerName: ${schedulerName}, containers: [{name: c, image: "busybox:test"}]}
`;
const CONFIGURATION = `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated}}
`;
const conditionOf = (cluster: Cluster, name: string): Promise<string> =>
  cluster.ok(['get', 'pod', name, '-o', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}']);
const nodeOf = async (cluster: Cluster, name: string, namespace = 'default'): Promise<string | undefined> =>
  (await cluster.ok(['get', 'pod', name, '-n', namespace, '-o', 'jsonpath={.spec.nodeName}'])) || undefined;

describe.skipIf(missing !== undefined)('scheduling', () => {
  let cluster: Cluster;
  let target: Awaited<ReturnType<typeof connect>>;
  let nodes: StandInNodes;

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false });
    target = await connect(cluster.kubeconfig, NODES);
    nodes = await StandInNodes.register(target.client, { node1: {}, node2: {} });
    for (const name of NODES) {
      await eventually('taint gone', async () => {
        const taints = await cluster.ok(['get', 'node', name, '-o', 'jsonpath={.spec.taints}']);
        return taints === '';
      });
    }
  });
  afterAll(() =>
    endAll(
      () => nodes?.close(),
      () => target?.close(),
      () => cluster?.remove(),
    ),
  );

  test.each(scenarios)('as recorded: $name', async (scenario) => {
    const isDifferent = ({ findings }: Result): boolean => ofTheScheduler(scenario, findings).length > 0;
    const { findings } = await play(target, scenario, isDifferent);
    expect(ofTheScheduler(scenario, findings)).toEqual([]);
  });

  test('preemption for extended resources that were patched into the node status', async () => {
    for (const node of NODES) {
      const patch = JSON.stringify({ status: { capacity: { 'scheduling.k8s.io/foo': '5' } } });
      await cluster.ok(['patch', 'node', node, '--subresource', 'status', '--type', 'merge', '-p', patch]);
      await eventually('allocatable', async () => {
        const allocatable = await cluster.ok(['get', 'node', node, '-o', 'jsonpath={.status.allocatable}']);
        return allocatable.includes('scheduling.k8s.io/foo');
      });
    }
    await cluster.apply(priorityClass('e2e-low', 1) + priorityClass('e2e-medium', 100));
    await cluster.apply(fooPod('low', 'e2e-low'));
    await cluster.apply(fooPod('medium', 'e2e-medium'));
    for (const name of ['low', 'medium']) await eventually(`${name} placed`, () => nodeOf(cluster, name));
    const place = await nodeOf(cluster, 'low');
    await cluster.apply(fooPod('critical', 'system-cluster-critical', 'kube-system'));
    await eventually('critical placed', async () => (await nodeOf(cluster, 'critical', 'kube-system')) === place);
    expect((await cluster.kubectl(['get', 'pod', 'low'])).stderr).toContain('NotFound');
    expect(await nodeOf(cluster, 'medium')).toBeDefined();
    const preempted = 'jsonpath={range .items[?(@.reason=="Preempted")]}{.message}{"\\n"}{end}';
    const uid = await cluster.ok(['get', 'pod', 'critical', '-n', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
    await eventually('it is told of', async () => {
      expect(await cluster.ok(['get', 'events', '-o', preempted])).toBe(`Preempted by pod ${uid} on node ${place}\n`);
      return true;
    });
  });

  test('explain says why a pod is where it is, and what would make another one fit', async () => {
    await cluster.apply(fooPod('waiting', 'e2e-low').replace('"4"', '"6"'));
    await eventually('refused', async () => (await conditionOf(cluster, 'waiting')) !== '');
    const explain = (name: string): Promise<CommandResult> =>
      runCommand(executable, ['explain', 'pod', name, '--kubeconfig', cluster.kubeconfig]);
    const waiting = await explain('waiting');
    expect(waiting.stdout).toContain(
      'pod default/waiting has no node: 0/2 nodes are available: 2 Insufficient scheduling.k8s.io/foo.',
    );
    expect(waiting.stdout).toMatch(/node1 +NodeResourcesFit +Insufficient scheduling.k8s.io\/foo +/);
    const medium = await explain('medium');
    expect(medium.stdout).toMatch(/^pod default\/medium is on node[12]\n/);
    expect(await explain('nobody')).toMatchObject({ code: 1, stderr: 'kube-lite: pods "nobody" not found\n' });
  });
});

describe.skipIf(missing !== undefined)('scheduler configuration', () => {
  test('profiles of a file; a wrong file is refused with its line and field', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    const file = join(directory, 'scheduler.yaml');
    await writeFile(file, `${CONFIGURATION}unknownField: 1\n`);
    const refused = await runCommand(executable, ['server', '--data-dir', directory, '--scheduler-config', file]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: `kube-lite: --scheduler-config ${file}:${CONFIGURATION.split('\n').length}: strict decoding error: unknown field "unknownField"\n`,
    });
    await writeFile(file, CONFIGURATION);
    const cluster = await Cluster.start({ node: false, flags: ['--scheduler-config', file] });
    const target = await connect(cluster.kubeconfig, NODES);
    const nodes = await StandInNodes.register(target.client, { node1: { allocatable: { cpu: '8' } }, node2: {} });
    try {
      await cluster.apply(customPod('packed', 'packing'));
      await cluster.apply(customPod('nobody', 'unknown'));
      await eventually('placed', () => nodeOf(cluster, 'packed'));
      expect(await nodeOf(cluster, 'nobody')).toBeUndefined();
      const events = ['get', 'events', '-o', 'jsonpath={range .items[*]}{.reportingComponent} {.reason}{"\\n"}{end}'];
      await eventually('event', async () => (await cluster.ok(events)).includes('packing Scheduled\n'));
    } finally {
      await nodes.close();
      await target.close();
      await cluster.remove();
      await rm(directory, { recursive: true });
    }
  });
});
