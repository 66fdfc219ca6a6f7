import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { type NewPodCondition, podConditionPatch } from '../../api/pod-condition.ts';
import { formatTime } from '../../api/time.ts';
import type { PluginHandle } from '../framework/handle.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Candidate } from './victims.ts';

/**
 * Makes the room that preemption found: tells each victim with a condition and an event, deletes it with its own grace
 * period, and takes nominations for the node from less important pods. Runs beside scheduling; the preemptor stays out of
 * the queue meanwhile.
 */
export class Evictor {
  readonly #handle: PluginHandle;
  /** Uids of pods that have their room made. */
  readonly #running = new Set<string>();

  constructor(handle: PluginHandle) {
    this.#handle = handle;
  }

  isRunning(uid: string): boolean {
    return this.#running.has(uid);
  }

  start(preemptor: PodInfo, candidate: Candidate): void {
    const victims = candidate.victims.filter(({ pod }) => pod.metadata.deletionTimestamp === undefined);
    this.#handle.metrics.preempted(candidate.victims.length);
    if (victims.length === 0) return;
    this.#running.add(preemptor.uid);
    this.#run(preemptor, candidate.node, victims).catch((error: unknown) => {
      const { namespace, name } = preemptor.pod.metadata;
      this.#handle.logger.warn({ pod: `${namespace}/${name}`, node: candidate.node, err: error }, 'preemption failed');
    });
  }

  async #run(preemptor: PodInfo, node: string, victims: readonly PodInfo[]): Promise<void> {
    const { cluster, activate, ungate } = this.#handle;
    try {
      await this.#clearNominations(preemptor, node);
      await Promise.all(victims.map((victim) => this.#evict(preemptor, victim, node)));
    } catch (error) {
      this.#running.delete(preemptor.uid);
      activate(preemptor.uid);
      throw error;
    }
    this.#running.delete(preemptor.uid);
    // Some are gone already: their events have found the preemptor kept back.
    if (victims.some(({ uid }) => cluster.nodeOf(uid) === undefined)) activate(preemptor.uid);
    else ungate(preemptor.uid);
  }

  /** Less important pods that wait for room on this node look for another one. */
  async #clearNominations(preemptor: PodInfo, node: string): Promise<void> {
    const { nominator, client, activate } = this.#handle;
    for (const other of [...nominator.on(node).values()]) {
      if (other.priority >= preemptor.priority || other.uid === preemptor.uid) continue;
      nominator.remove(other.uid);
      const { namespace, name, uid } = other.pod.metadata;
      const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
      await gone(client.patch(resources.pods, { namespace, name }, 'strategic', patch, { subresource: 'status' }));
      activate(uid);
    }
  }

  async #evict(preemptor: PodInfo, { pod }: PodInfo, node: string): Promise<void> {
    const { client, recorder } = this.#handle;
    const { namespace, name, uid } = pod.metadata;
    const key = { namespace, name };
    const patch = podConditionPatch(pod, this.#condition(preemptor));
    await gone(client.patch(resources.pods, key, 'strategic', patch, { subresource: 'status' }));
    await gone(client.delete(resources.pods, key, { preconditions: { uid } }));
    const message = `Preempted by pod ${preemptor.uid} on node ${node}`;
    recorder.event(pod, 'Normal', 'Preempted', message, { action: 'Preempting' });
  }

  #condition({ pod: preemptor }: PodInfo): NewPodCondition {
    return {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: formatTime(this.#handle.clock.now()),
    };
  }
}

/** A pod that is gone, or another one of its name by now, needs nothing more. */
async function gone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}
