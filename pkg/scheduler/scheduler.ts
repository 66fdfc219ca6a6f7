import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Pod } from '../api/generated/types.ts';
import { keyOf } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { DeepReadonly } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Client, EventRecorder, Informers, Lister } from '../client/index.ts';
import { bindPod, type Placement } from './binding-cycle.ts';
import { ClusterState } from './cluster/cluster-state.ts';
import { Nominator } from './cluster/nominator.ts';
import type { SchedulerConfiguration } from './config/configuration.ts';
import { DeviceState } from './devices/device-state.ts';
import { EventHandlers } from './event-handlers.ts';
import { Extender, type ExtenderTransport } from './extenders/extender.ts';
import { Extenders } from './extenders/extenders.ts';
import { reportFailure, type SchedulingFailure } from './failure-report.ts';
import { type Diagnosis, fitErrorMessage } from './framework/diagnosis.ts';
import { pickBest } from './framework/framework.ts';
import type { SchedulerInformers } from './framework/handle.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { PostFilterResult, SchedulerPlugin } from './framework/plugin.ts';
import { podInfo } from './framework/pod-info.ts';
import { schedulerInformers, synced } from './informers.ts';
import { createSchedulerMetrics, type SchedulerMetrics } from './metrics.ts';
import { createProfiles, type Profile, pluginsByName } from './profiles.ts';
import { type QueuedPod, SchedulingQueue } from './queue/scheduling-queue.ts';
import { SchedulingCycle, type Search } from './scheduling-cycle.ts';

export interface SchedulerDeps {
  readonly client: Client;
  readonly informers: Informers;
  /** Events name the profile as their source. */
  readonly recorderFor: (schedulerName: string) => EventRecorder;
  readonly extenderTransport: ExtenderTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** In [0, 1). */
  readonly random: () => number;
}

const MAX_UNSCHEDULABLE_MS = 300_000;
/** How long one turn of the event loop may place pods. */
const TURN_MS = 5;
const NO_NODES = 'no nodes available to schedule pods';

/**
 * Gives every pod without a node one: takes pods from the queue one at a time, finds the best node, assumes the pod there and
 * binds it in the background. Without extenders a cycle is synchronous. Corresponds to upstream's kube-scheduler.
 */
export class Scheduler implements Component {
  readonly name = 'scheduler';
  readonly #deps: SchedulerDeps;
  readonly #cluster = new ClusterState();
  readonly #nominator = new Nominator();
  readonly #cycle = new SchedulingCycle(this.#cluster);
  readonly #extenders: Extenders;
  readonly #metrics: SchedulerMetrics;
  readonly #others: SchedulerInformers;
  readonly #devices: DeviceState;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #queue: SchedulingQueue;
  readonly #pods: Lister<Pod>;
  /** Pods out of the queue: being tried, or being bound. */
  readonly #inFlight = new Set<string>();
  readonly #bindings = new Set<Promise<void>>();

  /** Throws a SchedulerConfigError when plugins do not go together. */
  constructor(configuration: SchedulerConfiguration, deps: SchedulerDeps) {
    this.#deps = deps;
    this.#pods = deps.informers.for(resources.pods).lister;
    this.#others = schedulerInformers(deps.informers);
    this.#devices = new DeviceState(this.#others);
    this.#extenders = new Extenders(
      configuration.extenders.map((extender) => new Extender(extender, deps.extenderTransport)),
      deps.logger,
    );
    this.#metrics = createSchedulerMetrics(deps.metrics, {
      pending: () => this.#queue.counts(),
      refused: () => this.#queue.refused(),
      cache: () => ({
        nodes: this.#cluster.nodes.length,
        pods: this.#cluster.podCount,
        assumed_pods: this.#bindings.size,
      }),
    });
    const handle = {
      ...deps,
      cluster: this.#cluster,
      nominator: this.#nominator,
      informers: this.#others,
      devices: this.#devices,
      metrics: this.#metrics,
      extenders: this.#extenders,
      activate: (uid: string) => this.#queue.activate(uid),
      ungate: (uid: string) => this.#queue.ungate(uid),
    };
    this.#profiles = createProfiles(configuration, handle, deps.recorderFor, this.#extenders.ignoredResources);
    this.#queue = this.#createQueue(configuration);
  }

  #createQueue({ podInitialBackoffMs, podMaxBackoffMs }: SchedulerConfiguration): SchedulingQueue {
    const plugins = new Map<string, ReadonlyMap<string, SchedulerPlugin>>();
    for (const [name, { framework }] of this.#profiles) plugins.set(name, pluginsByName(framework));
    const [first] = this.#profiles.values();
    const [sort] = first?.framework.plugins.queueSort ?? [];
    return new SchedulingQueue(
      {
        initialBackoffMs: podInitialBackoffMs,
        maxBackoffMs: podMaxBackoffMs,
        maxUnschedulableMs: MAX_UNSCHEDULABLE_MS,
      },
      {
        clock: this.#deps.clock,
        compare: (a, b) => sort?.sortsBefore?.(a, b) ?? 0,
        gatedBy: (pod) => this.#profileOf(pod.pod)?.framework.preEnqueue(pod)?.plugin,
        // What has no hint (an extender) is woken by everything.
        mayHelp: (name, event, pod) =>
          plugins
            .get(pod.pod.spec.schedulerName ?? '')
            ?.get(name)
            ?.mayHelp?.(event, pod) ?? true,
        onQueued: (event, queue) => this.#metrics.queued(event, queue),
      },
    );
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { informers } = this.#deps;
    const handlers = new EventHandlers({
      cluster: this.#cluster,
      nominator: this.#nominator,
      queue: this.#queue,
      devices: this.#devices,
      isOurs: (pod) => this.#profileOf(pod) !== undefined,
      isBinding: (uid) => this.#inFlight.has(uid),
    });
    await synced(this.#others, signal);
    const detach = handlers.attach(informers, this.#others);
    try {
      await Promise.all([informers.for(resources.nodes).synced(signal), informers.for(resources.pods).synced(signal)]);
      ready();
      await this.#loop(signal);
    } finally {
      detach();
      await Promise.all(this.#bindings);
    }
  }

  #profileOf(pod: DeepReadonly<Pod>): Profile | undefined {
    return this.#profiles.get(pod.spec.schedulerName ?? '');
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let turnStart = clock.monotonic();
    for (;;) {
      let queued = this.#queue.tryNext();
      if (queued === undefined) {
        queued = await this.#queue.next(signal);
        turnStart = clock.monotonic();
      }
      if (queued === undefined || signal.aborted) return;
      const { uid } = queued.info;
      this.#inFlight.add(uid);
      const more = this.#tryPod(queued, signal);
      if (more !== undefined) await more;
      this.#queue.tried();
      if (clock.monotonic() - turnStart > TURN_MS) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        turnStart = clock.monotonic();
      }
    }
  }

  /** Places a pod; what takes longer than this turn is returned. Never throws. */
  #tryPod(queued: QueuedPod, signal: AbortSignal): Promise<void> | undefined {
    const { info } = queued;
    const profile = this.#profileOf(info.pod);
    if (profile === undefined) {
      this.#inFlight.delete(info.uid);
      return undefined;
    }
    const startedMs = this.#deps.clock.monotonic();
    try {
      if (this.#cluster.nodes.length === 0) {
        const plugins = new Set(profile.framework.plugins.filter.map(({ name }) => name));
        this.#refuse(
          queued,
          profile,
          { reason: 'Unschedulable', message: NO_NODES, nominatedNode: '' },
          plugins,
          startedMs,
        );
        return undefined;
      }
      const search = this.#cycle.search(profile.framework, info, profile.percentageOfNodesToScore);
      this.#metrics.extensionPoint('Filter', profile.framework.profileName, this.#secondsSince(startedMs));
      if (search.feasible.length === 0) {
        this.#metrics.algorithm(this.#secondsSince(startedMs));
        return this.#onNoFit(queued, profile, search, search.diagnosis, startedMs);
      }
      if (this.#extenders.areInterested(info)) return this.#withExtenders(queued, profile, search, startedMs, signal);
      const totals = this.#score(profile, info, search);
      this.#metrics.algorithm(this.#secondsSince(startedMs));
      this.#place(queued, profile, search, search.feasible[pickBest(totals, this.#deps.random)], startedMs, signal);
    } catch (error) {
      this.#onError(queued, profile, error, startedMs);
    }
    return undefined;
  }

  #score({ framework }: Profile, info: QueuedPod['info'], { state, feasible }: Search): Float64Array {
    if (feasible.length === 1) return new Float64Array(1);
    const startedMs = this.#deps.clock.monotonic();
    const totals = framework.score(state, info, feasible);
    this.#metrics.extensionPoint('Score', framework.profileName, this.#secondsSince(startedMs));
    return totals;
  }

  async #withExtenders(
    queued: QueuedPod,
    profile: Profile,
    search: Search,
    startedMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { info } = queued;
    try {
      const rejections = new Map(search.diagnosis.rejections);
      const left = await this.#extenders.filter(info, search.feasible, rejections);
      if (left.length === 0) {
        const plugins = new Set([...rejections.values()].map(({ plugin }) => plugin));
        const diagnosis = { ...search.diagnosis, rejections, plugins };
        await this.#onNoFit(queued, profile, search, diagnosis, startedMs);
        return;
      }
      const feasible = left.filter(({ node }) => node !== undefined);
      const totals = this.#score(profile, info, { ...search, feasible });
      await this.#extenders.score(info, feasible, totals);
      this.#place(queued, profile, search, feasible[pickBest(totals, this.#deps.random)], startedMs, signal);
    } catch (error) {
      this.#onError(queued, profile, error, startedMs);
    }
  }

  #place(
    queued: QueuedPod,
    profile: Profile,
    { state }: Search,
    node: NodeInfo | undefined,
    startedMs: number,
    signal: AbortSignal,
  ): void {
    const { info } = queued;
    if (node?.node === undefined) throw new Error('the chosen node is gone');
    const { framework } = profile;
    const rejection = framework.reserve(state, info, node);
    if (rejection !== undefined) {
      const failure = { reason: 'Unschedulable', message: rejection.reasons.join(', '), nominatedNode: '' } as const;
      this.#refuse(queued, profile, failure, new Set([rejection.plugin]), startedMs);
      return;
    }
    this.#cluster.placePod(info, node.name);
    this.#nominator.remove(info.uid);
    const binding = this.#bind(queued, profile, { pod: info, node, state, framework }, startedMs, signal).finally(
      () => {
        this.#bindings.delete(binding);
      },
    );
    this.#bindings.add(binding);
  }

  /** Never rejects: a pod that cannot be bound goes back into the queue. */
  async #bind(
    queued: QueuedPod,
    profile: Profile,
    placement: Placement,
    startedMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { pod, node, framework } = placement;
    try {
      const rejection = await bindPod(placement, { recorder: profile.recorder, extenders: this.#extenders }, signal);
      if (rejection === undefined) {
        this.#inFlight.delete(pod.uid);
        this.#metrics.attempt('scheduled', framework.profileName, this.#secondsSince(startedMs));
        this.#metrics.podScheduled(queued.attempts, this.#secondsSince(queued.firstQueuedAtMs));
        return;
      }
      this.#forget(placement);
      const failure = { reason: 'Unschedulable', message: rejection.reasons.join(', '), nominatedNode: '' } as const;
      this.#refuse(queued, profile, failure, undefined, startedMs);
    } catch (error) {
      this.#forget(placement);
      if (signal.aborted || isGone(error)) {
        this.#inFlight.delete(pod.uid);
        return;
      }
      const { namespace, name } = pod.pod.metadata;
      this.#deps.logger.warn({ pod: `${namespace}/${name}`, node: node.name, err: error }, 'binding failed');
      this.#onError(queued, profile, error, startedMs);
    }
  }

  /** The pod is not on its node after all. */
  #forget({ pod, node, state, framework }: Placement): void {
    framework.unreserve(state, pod, node);
    const latest = this.#pods.get(keyOf(pod.pod));
    // The API server may have bound it although it did not say so.
    const isThere = latest?.metadata.uid === pod.uid && latest.spec.nodeName === node.name;
    if (isThere || this.#cluster.nodeOf(pod.uid) !== node.name) return;
    this.#cluster.removePod(pod.uid);
    this.#queue.moveFor({ resource: 'AssignedPod', action: 'Delete', pod });
  }

  async #onNoFit(
    queued: QueuedPod,
    profile: Profile,
    { state }: Search,
    diagnosis: Diagnosis,
    startedMs: number,
  ): Promise<void> {
    const { info } = queued;
    let post: PostFilterResult = { success: false };
    try {
      post = await profile.framework.postFilter(state, info, diagnosis);
    } catch (error) {
      this.#onError(queued, profile, error, startedMs);
      return;
    }
    const { nominatedNode } = post;
    const message = fitErrorMessage(diagnosis, post.message);
    this.#refuse(queued, profile, { reason: 'Unschedulable', message, nominatedNode }, diagnosis.plugins, startedMs);
  }

  #onError(queued: QueuedPod, profile: Profile, error: unknown, startedMs: number): void {
    const failure = { reason: 'SchedulerError', message: describeError(error), nominatedNode: '' } as const;
    this.#refuse(queued, profile, failure, undefined, startedMs);
  }

  /** Gives a pod back to the queue: until an event helps against `plugins`, or just for its back-off without them. */
  #refuse(
    queued: QueuedPod,
    profile: Profile,
    failure: SchedulingFailure,
    plugins: ReadonlySet<string> | undefined,
    startedMs: number,
  ): void {
    const { uid, pod } = queued.info;
    const result = failure.reason === 'Unschedulable' ? 'unschedulable' : 'error';
    this.#metrics.attempt(result, profile.framework.profileName, this.#secondsSince(startedMs));
    this.#inFlight.delete(uid);
    const latest = this.#pods.get(keyOf(pod));
    // Gone, replaced, or bound by somebody else meanwhile.
    if (latest === undefined || latest.metadata.uid !== uid || latest.spec.nodeName) {
      this.#nominator.remove(uid);
      return;
    }
    if (latest !== pod) queued.info = podInfo(latest);
    if (failure.nominatedNode) this.#nominator.add(queued.info, failure.nominatedNode);
    else if (failure.nominatedNode === '') this.#nominator.remove(uid);
    if (plugins === undefined) this.#queue.addFailed(queued);
    else this.#queue.addUnschedulable(queued, plugins);
    reportFailure(latest, failure, { ...this.#deps, recorder: profile.recorder });
  }

  #secondsSince(startedMs: number): number {
    return (this.#deps.clock.monotonic() - startedMs) / 1000;
  }
}

/** The pod was deleted while it was bound. */
function isGone(error: unknown): boolean {
  return isStatusError(error, 'NotFound') || (error instanceof Error && isStatusError(error.cause, 'NotFound'));
}
