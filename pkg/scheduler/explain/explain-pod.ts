import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { ObjectKey, ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import type { Client, EventRecorder } from '../../client/index.ts';
import { ClusterState } from '../cluster/cluster-state.ts';
import { Nominator } from '../cluster/nominator.ts';
import { DEFAULT_SCHEDULER_NAME, type SchedulerConfiguration } from '../config/configuration.ts';
import { DeviceState } from '../devices/device-state.ts';
import { Extender, type ExtenderTransport } from '../extenders/extender.ts';
import { Extenders } from '../extenders/extenders.ts';
import { CycleState } from '../framework/cycle-state.ts';
import type { Framework } from '../framework/framework.ts';
import type { SchedulerInformers } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import { type PodInfo, podInfo } from '../framework/pod-info.ts';
import { schedulerResources } from '../informers.ts';
import { createSchedulerMetrics } from '../metrics.ts';
import { createProfiles } from '../profiles.ts';
import { adviceFor, adviceForPod, type Surroundings } from './advice.ts';
import { askExtenders } from './ask-extenders.ts';
import { type Explanation, fits, type NodeScore, type NodeVerdict } from './explanation.ts';
import { listedInformer } from './listed-informer.ts';

export interface ExplainDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly extenderTransport: ExtenderTransport;
}

const silentRecorder: EventRecorder = { event() {}, flush: async () => {} };

/**
 * Asks every plugin and every extender about every node for one pod, on what the API server has now: the scheduler's own plugins, in this process,
 * and nothing is written. A pod that has a node is asked about as if it had none yet. Throws what the API server says.
 */
export async function explainPod(
  key: ObjectKey,
  configuration: SchedulerConfiguration,
  { client, clock, extenderTransport }: ExplainDeps,
  signal: AbortSignal,
): Promise<Explanation> {
  const pod = await client.get(resources.pods, key, signal);
  const [others, nodes, pods] = await Promise.all([
    listedInformers(client, signal),
    listedInformer(client, resources.nodes, signal),
    listedInformer(client, resources.pods, signal),
  ]);
  const cluster = new ClusterState();
  for (const node of nodes.lister.list()) cluster.setNode(node);
  const nominator = new Nominator();
  for (const other of pods.lister.list()) addPod(cluster, nominator, other, pod);
  const devices = new DeviceState(others);
  devices.follow();
  // There is nothing to ask of devices without a class.
  if (others.deviceClasses.lister.size > 0 || (pod.spec.resourceClaims ?? []).length > 0) await devices.load();
  const extenders = new Extenders(
    configuration.extenders.map((extender) => new Extender(extender, extenderTransport)),
    silentLogger,
  );
  const handle = {
    client,
    clock,
    cluster,
    nominator,
    informers: others,
    devices,
    logger: silentLogger,
    metrics: createSchedulerMetrics(createMetrics(), {
      pending: () => ({ active: 0, backoff: 0, unschedulable: 0, gated: 0 }),
      refused: () => [],
      cache: () => ({ nodes: 0, pods: 0, assumed_pods: 0 }),
    }),
    extenders,
    activate() {},
    ungate() {},
    random: () => 0,
  };
  const profiles = createProfiles(configuration, handle, () => silentRecorder, extenders.ignoredResources);
  const { schedulerName = '', nodeName } = pod.spec;
  const profile = profiles.get(schedulerName) ?? profiles.get(DEFAULT_SCHEDULER_NAME);
  if (profile === undefined) throw new Error(`no profile schedules pods of ${schedulerName}`);
  const labelsOfNamespace = (name: string) => {
    const namespace = others.namespaces.lister.get(name);
    return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
  };
  const surroundings = { nodes: cluster.nodes, labelsOfNamespace };
  const waiting = { ...pod, spec: { ...pod.spec, nodeName: '' } };
  const plain = explain(profile.framework, waiting, nodeName, surroundings);
  const explanation = await askExtenders(plain, podInfo(waiting), cluster.nodes, extenders);
  return profiles.has(schedulerName) ? explanation : { ...explanation, leftTo: schedulerName };
}

async function listedInformers(client: Client, signal: AbortSignal): Promise<SchedulerInformers> {
  const entries = Object.entries(schedulerResources).map(
    async ([name, type]) => [name, await listedInformer(client, type as ResourceType<unknown>, signal)] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as unknown as SchedulerInformers;
}

function addPod(
  cluster: ClusterState,
  nominator: Nominator,
  other: DeepReadonly<Pod>,
  explained: DeepReadonly<Pod>,
): void {
  const { phase, nominatedNodeName } = other.status;
  if (other.metadata.uid === explained.metadata.uid || phase === 'Succeeded' || phase === 'Failed') return;
  if (other.spec.nodeName) cluster.placePod(podInfo(other), other.spec.nodeName);
  else if (nominatedNodeName) nominator.add(podInfo(other), nominatedNodeName);
}

/** The same on a state that is there already. `pod` has no node; `nodeName` is the one that it has really. */
export function explain(
  framework: Framework,
  pod: DeepReadonly<Pod>,
  nodeName: string | undefined,
  cluster: Surroundings,
): Explanation {
  const info = podInfo(pod);
  const { metadata, status } = pod;
  const condition = status.conditions?.find(({ type }) => type === 'PodScheduled');
  const base = {
    pod: `${metadata.namespace}/${metadata.name}`,
    nodeName: nodeName || undefined,
    message: condition?.status === 'False' ? condition.message : undefined,
    leftTo: undefined,
    refusedBy: undefined,
    nodes: [],
    scores: [],
  };
  const state = new CycleState();
  const gate = framework.preEnqueue(info);
  if (gate !== undefined) return { ...base, refusedBy: verdictOf(gate) };
  const outcome = framework.preFilter(state, info);
  if ('rejection' in outcome) return { ...base, refusedBy: verdictOf(outcome.rejection) };
  const ordered = cluster.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const nodes = ordered.map((node) => nodeVerdict(framework, state, info, node, cluster));
  const feasible = ordered.filter((_, i) => fits(nodes[i] as NodeVerdict));
  return { ...base, nodes, scores: scoresOf(framework, state, info, feasible) };
}

function verdictOf(rejection: Rejection): NodeVerdict['verdicts'][number] {
  return { plugin: rejection.plugin, reasons: rejection.reasons, advice: adviceForPod(rejection) };
}

/** Unlike in scheduling, all plugins are asked: each may have something against a node. */
function nodeVerdict(
  framework: Framework,
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  cluster: Surroundings,
): NodeVerdict {
  const verdicts = framework.plugins.filter.map((plugin) => {
    const rejection = state.skippedFilters.has(plugin.name) ? undefined : refusal(plugin, state, pod, node);
    if (rejection === undefined) return { plugin: plugin.name, reasons: [], advice: '' };
    return { plugin: plugin.name, reasons: rejection.reasons, advice: adviceFor(rejection, pod, node, cluster) };
  });
  if (verdicts.every(({ reasons }) => reasons.length === 0)) {
    const nominated = framework.filter(framework.activeFilters(state), state, pod, node);
    if (nominated !== undefined) {
      const reasons = [`room is kept for pods that preempt others here (${nominated.reasons.join(', ')})`];
      verdicts.push({ plugin: nominated.plugin, reasons, advice: 'a higher priority' });
    }
  }
  return { node: node.name, verdicts };
}

/** A plugin that fails ends the scheduler's attempt; here that is a reason like others. */
function refusal(plugin: SchedulerPlugin, state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined {
  try {
    return plugin.filter?.(state, pod, node);
  } catch (error) {
    return { plugin: plugin.name, reasons: [describeError(error)], resolvable: false };
  }
}

function scoresOf(
  framework: Framework,
  state: CycleState,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
): readonly NodeScore[] {
  const byPlugin = nodes.map(() => new Map<string, number>());
  const totals = framework.score(state, pod, nodes, (plugin, scores, weight) => {
    for (const [i, own] of byPlugin.entries()) own.set(plugin, (scores[i] ?? 0) * weight);
  });
  return nodes
    .map(({ name }, i) => ({ node: name, total: totals[i] ?? 0, byPlugin: byPlugin[i] ?? new Map<string, number>() }))
    .toSorted((a, b) => b.total - a.total);
}
