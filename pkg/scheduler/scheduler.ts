import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Node, Pod } from '../api/generated/types.ts';
import { formatTime } from '../api/time.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { DeepReadonly } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, EventRecorder, Informers } from '../client/index.ts';
import { SchedulerCache } from './cache.ts';
import { type Placement, SchedulingCycle } from './cycle.ts';
import type { ClusterEvent } from './framework/framework.ts';
import { podInfo } from './framework/pod-info.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { EnabledPlugin } from './plugins/index.ts';
import { type QueuedPod, SchedulingQueue } from './queue/scheduling-queue.ts';

export interface SchedulerOptions {
  /** Pods with this spec.schedulerName are ours. */
  readonly schedulerName: string;
  readonly plugins: readonly EnabledPlugin[];
}

export interface SchedulerDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SchedulerMetrics;
  readonly random: () => number;
}

const QUEUE_OPTIONS = { initialBackoffMs: 1000, maxBackoffMs: 10_000, maxUnschedulableMs: 300_000 };
/** How long one turn of the event loop may place pods. */
const TURN_MS = 5;

type ReadonlyPod = DeepReadonly<Pod>;

/**
 * Gives every pod without a node one: takes pods from the queue by priority, finds the best node in a synchronous cycle,
 * assumes the pod there and binds it in the background. Corresponds to upstream's kube-scheduler with one profile.
 */
export class Scheduler implements Component {
  readonly name = 'scheduler';
  readonly #options: SchedulerOptions;
  readonly #deps: SchedulerDeps;
  readonly #cache = new SchedulerCache();
  readonly #cycle: SchedulingCycle;
  readonly #queue: SchedulingQueue;
  /** Pods being bound, by uid. */
  readonly #binding = new Map<string, Promise<void>>();

  constructor(options: SchedulerOptions, deps: SchedulerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#cycle = new SchedulingCycle(options.plugins, deps.random);
    const hints = new Map(options.plugins.map(({ plugin }) => [plugin.name, plugin]));
    // A plugin without a hint is woken by everything.
    this.#queue = new SchedulingQueue(QUEUE_OPTIONS, {
      clock: deps.clock,
      mayHelp: (name, event, pod) => hints.get(name)?.mayHelp?.(event, pod) ?? true,
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const nodes = this.#deps.informers.for(resources.nodes);
    const pods = this.#deps.informers.for(resources.pods);
    const removals = [
      nodes.addHandler({
        onAdd: (node) => this.#onNode(node),
        onUpdate: (node, old) => (sameForScheduling(node, old) ? undefined : this.#onNode(node)),
        onDelete: (node) => this.#cache.removeNode(node.metadata.name),
      }),
      pods.addHandler({
        onAdd: (pod) => this.#onPod(pod),
        onUpdate: (pod, old) => this.#onPod(pod, old),
        onDelete: (pod) => this.#onPodGone(pod),
      }),
    ];
    try {
      await Promise.all([nodes.synced(signal), pods.synced(signal)]);
      ready();
      await this.#loop(signal);
    } finally {
      for (const remove of removals) remove();
      await Promise.all(this.#binding.values());
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let turnStart = this.#deps.clock.monotonic();
    for (;;) {
      let queued = this.#queue.tryNext();
      if (queued === undefined) {
        queued = await this.#queue.next(signal);
        turnStart = this.#deps.clock.monotonic();
      }
      if (queued === undefined || signal.aborted) return;
      this.#schedule(queued, signal);
      if (this.#deps.clock.monotonic() - turnStart > TURN_MS) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        turnStart = this.#deps.clock.monotonic();
      }
    }
  }

  #schedule(queued: QueuedPod, signal: AbortSignal): void {
    const { info } = queued;
    const { metrics, clock } = this.#deps;
    const started = clock.monotonic();
    const result = this.#cycle.run(info, this.#cache.nodes);
    if ('noFit' in result) {
      metrics.attempt('unschedulable', (clock.monotonic() - started) / 1000);
      this.#queue.addUnschedulable(queued, result.noFit.rejectedBy);
      this.#reportUnschedulable(info.pod, result.noFit.message);
      return;
    }
    const { placement } = result;
    this.#cache.placePod(info, placement.node.name);
    metrics.attempt('scheduled', (clock.monotonic() - started) / 1000);
    const binding = this.#bind(queued, placement, signal).finally(() => this.#binding.delete(info.uid));
    this.#binding.set(info.uid, binding);
  }

  /** Never rejects: a pod that cannot be bound goes back into the queue. */
  async #bind(queued: QueuedPod, { node, state }: Placement, signal: AbortSignal): Promise<void> {
    const { info } = queued;
    const { pod } = info;
    const { client, recorder, logger } = this.#deps;
    const key = { namespace: pod.metadata.namespace, name: pod.metadata.name };
    try {
      for (const { plugin } of this.#options.plugins) await plugin.preBind?.(state, info, node, signal);
      await client.createSubresource(
        resources.pods,
        key,
        'binding',
        {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { ...key, uid: info.uid },
          target: { kind: 'Node', name: node.name },
        },
        signal,
      );
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key.namespace}/${key.name} to ${node.name}`, {
        action: 'Binding',
      });
    } catch (error) {
      this.#cache.removePod(info.uid);
      for (const { plugin } of this.#options.plugins) plugin.unreserve?.(state, info, node);
      if (signal.aborted || isStatusError(error, 'NotFound')) return;
      this.#deps.metrics.attempt('error', 0);
      logger.warn({ pod: `${key.namespace}/${key.name}`, node: node.name, err: error }, 'binding failed');
      recorder.event(
        pod,
        'Warning',
        'FailedScheduling',
        `running Bind plugin "DefaultBinder": ${describeError(error)}`,
        { action: 'Scheduling' },
      );
      if (!isStatusError(error, 'Conflict')) this.#queue.addFailed(queued);
    }
  }

  #reportUnschedulable(pod: ReadonlyPod, message: string): void {
    const { client, recorder, clock, logger } = this.#deps;
    recorder.event(pod, 'Warning', 'FailedScheduling', message, { action: 'Scheduling' });
    const known = pod.status.conditions?.find((condition) => condition.type === 'PodScheduled');
    if (known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message) return;
    const now = formatTime(clock.now());
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : now;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime,
    };
    const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    client
      .patch(resources.pods, { namespace: pod.metadata.namespace, name: pod.metadata.name }, 'strategic', patch, {
        subresource: 'status',
      })
      .catch((error: unknown) => {
        // The pod may be gone, or be another one of the same name by now.
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) {
          logger.warn(
            { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, err: error },
            'cannot tell why a pod does not fit',
          );
        }
      });
  }

  #onNode(node: DeepReadonly<Node>): void {
    const isNew = this.#cache.get(node.metadata.name)?.node === undefined;
    const info = this.#cache.setNode(node);
    this.#queue.moveFor({ resource: 'Node', action: isNew ? 'Add' : 'Update', node: info });
  }

  #onPod(pod: ReadonlyPod, old?: ReadonlyPod): void {
    const { uid } = pod.metadata;
    const finished = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
    if (finished) {
      this.#onPodGone(pod);
    } else if (pod.spec.nodeName) {
      this.#queue.remove(uid);
      const isNew = !this.#cache.isPlaced(uid);
      if (isNew || pod.spec !== old?.spec) this.#cache.placePod(podInfo(pod), pod.spec.nodeName);
      if (isNew || old?.spec.nodeName === undefined)
        this.#queue.moveFor({ resource: 'AssignedPod', action: 'Add', pod });
    } else if (pod.spec.schedulerName === this.#options.schedulerName && pod.metadata.deletionTimestamp === undefined) {
      this.#enqueue(pod, old);
    } else {
      this.#queue.remove(uid);
    }
  }

  #enqueue(pod: ReadonlyPod, old: ReadonlyPod | undefined): void {
    if (this.#binding.has(pod.metadata.uid)) return;
    const info = podInfo(pod);
    for (const { plugin } of this.#options.plugins) {
      if (plugin.preEnqueue?.(info) !== undefined) {
        this.#queue.addGated(info, plugin.name);
        return;
      }
    }
    // Only a change of what the plugins look at can make it fit; our own status write is none.
    const changed =
      old === undefined ||
      JSON.stringify([old.spec, old.metadata.labels]) !== JSON.stringify([pod.spec, pod.metadata.labels]);
    this.#queue.add(info, changed);
  }

  #onPodGone(pod: ReadonlyPod): void {
    this.#queue.remove(pod.metadata.uid);
    if (!this.#cache.isPlaced(pod.metadata.uid)) return;
    this.#cache.removePod(pod.metadata.uid);
    const event: ClusterEvent = { resource: 'AssignedPod', action: 'Delete', pod };
    this.#queue.moveFor(event);
  }
}

/** Heartbeats change a node all the time; only this matters to plugins. */
function sameForScheduling(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  const part = (of: DeepReadonly<Node>): string =>
    JSON.stringify([of.spec, of.metadata.labels, of.status.allocatable, of.status.images]);
  return part(node) === part(old);
}
