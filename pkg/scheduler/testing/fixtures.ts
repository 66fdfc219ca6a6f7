import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics } from '../../base/metrics.ts';
import { createInformers, type EventRecorder } from '../../client/index.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { ClusterState } from '../cluster/cluster-state.ts';
import { Nominator } from '../cluster/nominator.ts';
import { defaultConfiguration, defaultProfile } from '../config/configuration.ts';
import { defaultPluginArgs, type PluginArgs } from '../config/plugin-args.ts';
import { DeviceState } from '../devices/device-state.ts';
import { Extenders } from '../extenders/extenders.ts';
import { fitErrorMessage } from '../framework/diagnosis.ts';
import type { Framework } from '../framework/framework.ts';
import { pickBest } from '../framework/framework.ts';
import { podInfo } from '../framework/pod-info.ts';
import { schedulerInformers, synced } from '../informers.ts';
import { createSchedulerMetrics } from '../metrics.ts';
import { createProfiles } from '../profiles.ts';
import { SchedulingCycle } from '../scheduling-cycle.ts';

export interface NodeFixture {
  readonly labels?: Record<string, string>;
  readonly spec?: object;
  readonly allocatable?: Record<string, string>;
  readonly images?: readonly object[];
}

export function nodeFixture(name: string, { labels, spec = {}, allocatable, images }: NodeFixture = {}): Node {
  return {
    metadata: { name, uid: `node-${name}`, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', ...allocatable }, images },
  } as unknown as Node;
}

export interface PodFixture {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly ownerReferences?: readonly object[];
  readonly requests?: Record<string, string>;
  /** Merged into the container. */
  readonly container?: object;
  readonly spec?: object;
  readonly status?: object;
}

let made = 0;

export function podFixture(fixture: PodFixture = {}): Pod {
  made++;
  const { name = `p${made}`, namespace = 'default', requests, container, spec, status, ...metadata } = fixture;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `${namespace}-${name}-${made}`, ...metadata },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [
        { name: 'c', image: 'app:1', ...(requests === undefined ? {} : { resources: { requests } }), ...container },
      ],
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  } as unknown as Pod;
}

const silentRecorder: EventRecorder = { event() {}, flush: async () => {} };

/** A profile over a made-up cluster, without queue or API server in between. */
export class TestProfile {
  readonly api: FakeCluster;
  readonly cluster = new ClusterState();
  readonly nominator = new Nominator();
  readonly framework: Framework;
  readonly #cycle = new SchedulingCycle(this.cluster);

  private constructor(api: FakeCluster, framework: (profile: TestProfile) => Framework) {
    this.api = api;
    this.framework = framework(this);
  }

  /** `objects` fills the API server (namespaces, claims, services and the like) before the informers start. */
  static async create(
    signal: AbortSignal,
    args: Partial<PluginArgs> = {},
    objects: (api: FakeCluster) => void = () => {},
  ): Promise<TestProfile> {
    const clock = new FakeClock();
    const api = new FakeCluster({ clock });
    objects(api);
    const informers = createInformers(api.client, { clock, logger: silentLogger, random: () => 0 });
    const others = schedulerInformers(informers);
    informers.for(resources.pods);
    void informers.run(signal, () => {});
    await synced(others, signal);
    const devices = new DeviceState(others);
    devices.follow();
    await devices.load();
    return new TestProfile(api, ({ cluster, nominator }) => {
      const handle = {
        cluster,
        nominator,
        informers: others,
        devices,
        client: api.client,
        clock,
        logger: silentLogger,
        metrics: createSchedulerMetrics(createMetrics(), {
          pending: () => ({ active: 0, backoff: 0, unschedulable: 0, gated: 0 }),
          refused: () => [],
          cache: () => ({ nodes: 0, pods: 0, assumed_pods: 0 }),
        }),
        extenders: new Extenders([], silentLogger),
        activate() {},
        ungate() {},
        random: () => 0,
      };
      const profile = { ...defaultProfile, args: { ...defaultPluginArgs, ...args } };
      const profiles = createProfiles({ ...defaultConfiguration, profiles: [profile] }, handle, () => silentRecorder);
      return (profiles.get('default-scheduler') as { framework: Framework }).framework;
    });
  }

  nodes(...nodes: readonly Node[]): this {
    for (const node of nodes) this.cluster.setNode(node);
    return this;
  }

  place(nodeName: string, ...pods: readonly Pod[]): this {
    for (const pod of pods) this.cluster.placePod(podInfo(pod), nodeName);
    return this;
  }

  /** The name of the node that a pod gets, or why it gets none. */
  outcome(pod: Pod): string {
    const info = podInfo(pod);
    const { feasible, state, diagnosis } = this.#cycle.search(this.framework, info, 100);
    if (feasible.length === 0) return fitErrorMessage(diagnosis);
    return feasible[pickBest(this.framework.score(state, info, feasible), () => 0.99)]?.name ?? '';
  }

  /** One plugin's normalized scores by node; empty when it does not score the pod. */
  scores(plugin: string, pod: Pod): Record<string, number> {
    const info = podInfo(pod);
    const { feasible, state } = this.#cycle.search(this.framework, info, 100);
    const found: Record<string, number> = {};
    this.framework.score(state, info, feasible, (name, scores) => {
      if (name === plugin) for (const [i, node] of feasible.entries()) found[node.name] = scores[i] ?? 0;
    });
    return found;
  }

  /** What preemption says to a pod that fits nowhere. */
  async preempt(pod: Pod): Promise<{ node: string | undefined; message: string | undefined }> {
    const { state, diagnosis } = this.#cycle.search(this.framework, podInfo(pod), 100);
    const { nominatedNode, message } = await this.framework.postFilter(state, podInfo(pod), diagnosis);
    return { node: nominatedNode, message };
  }
}
