import type { EventRecorder } from '../../client/index.ts';
import { podSubject } from '../container/container-events.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import type { KubeletMetrics } from '../stats/kubelet-metrics.ts';
import type { Pod } from '../types.ts';
import { chooseVictims, type Need } from './victims.ts';

const REASON = 'Preempting';
const MESSAGE = 'Preempted in order to admit critical pod';
const FAILURE: PodFailure = {
  reason: REASON,
  message: MESSAGE,
  withoutEvent: true,
  condition: {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'TerminationByKubelet',
    message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
  },
};

export interface PreemptionDeps {
  readonly recorder: EventRecorder;
  readonly metrics: KubeletMetrics;
  /** The pods that take something from the node. */
  readonly pods: () => readonly Pod[];
  /** Ends a pod; resolves to whether it ended within the time that it has. */
  readonly evict: (uid: string, failure: PodFailure) => Promise<boolean>;
}

/** Ends pods to make room for a critical one. Upstream's CriticalPodAdmissionHandler. */
export class Preemption {
  readonly #deps: PreemptionDeps;
  #underWay: Promise<void> | undefined;

  constructor(deps: PreemptionDeps) {
    this.#deps = deps;
  }

  /** Resolves when the room that is being made is there; undefined: none is. Until then no other pod may have it. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Begins to make room for `pod`, one at a time. Throws a NoVictimsError: there can be none. */
  begin(pod: Pod, needs: readonly Need[]): void {
    const { pods, recorder } = this.#deps;
    const victims = chooseVictims(pod, pods(), needs);
    for (const victim of victims) recorder.event(podSubject(victim), 'Warning', REASON, MESSAGE);
    const signal = needs[0]?.resource ?? '';
    this.#underWay = Promise.all(victims.map((victim) => this.#end(victim, signal))).then(() => {
      this.#underWay = undefined;
    });
  }

  async #end({ metadata }: Pod, signal: string): Promise<void> {
    const { evict, metrics } = this.#deps;
    if (await evict(metadata.uid, FAILURE)) metrics.preempted(signal);
  }
}
