import { formatTime } from '../api/time.ts';
import { podCondition, type ReadPod } from './pod-status.ts';
import type { ReadService } from './service-pods.ts';

interface Seen {
  readonly pods: ReadonlyMap<string, number>;
  readonly service: number;
}

/**
 * Tells what made endpoints change: the earliest of the changes (a pod became ready or not, the Service was created)
 * since the last call for this Service. Serves programming-latency metrics. Corresponds to upstream's TriggerTimeTracker.
 */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** RFC 3339, or undefined when nothing with a time has changed. */
  next(key: string, service: ReadService, pods: readonly ReadPod[]): string | undefined {
    const before = this.#seen.get(key);
    const times = new Map<string, number>();
    let earliest = Number.POSITIVE_INFINITY;
    for (const pod of pods) {
      const changed = Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');
      if (Number.isNaN(changed)) continue;
      times.set(pod.metadata.name, changed);
      if (changed > (before?.pods.get(pod.metadata.name) ?? 0)) earliest = Math.min(earliest, changed);
    }
    const created = Date.parse(service.metadata.creationTimestamp);
    if (created > (before?.service ?? 0)) earliest = Math.min(earliest, created);
    this.#seen.set(key, { pods: times, service: created });
    return Number.isFinite(earliest) ? formatTime(earliest) : undefined;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
