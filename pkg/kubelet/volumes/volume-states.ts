import type { VolumeCounts } from '../stats/volume-metrics.ts';

/** A volume that a pod is to have. */
export interface VolumeState {
  /** `kubernetes.io/secret` */
  readonly plugin: string;
  /** Containers get a block device. */
  readonly block: boolean;
}

interface Entry extends VolumeState {
  mounted: boolean;
}

interface PodEntry {
  /** The pod still wants its volumes. */
  desired: boolean;
  readonly volumes: Map<string, Entry>;
}

/** Which volumes the pods of the node are to have, and which they have. Upstream: the desired and the actual state of the world. */
export class VolumeStates {
  readonly #pods = new Map<string, PodEntry>();

  want(podUID: string, volume: string, state: VolumeState): void {
    const pod = this.#pods.get(podUID) ?? { desired: true, volumes: new Map<string, Entry>() };
    this.#pods.set(podUID, pod);
    pod.volumes.set(volume, { ...state, mounted: this.isMounted(podUID, volume) });
  }

  setMounted(podUID: string, volume: string): void {
    const entry = this.#pods.get(podUID)?.volumes.get(volume);
    if (entry !== undefined) entry.mounted = true;
  }

  isMounted(podUID: string, volume: string): boolean {
    return this.#pods.get(podUID)?.volumes.get(volume)?.mounted === true;
  }

  /** The pod has ended; what it has is to be removed. */
  leave(podUID: string): readonly VolumeState[] {
    const pod = this.#pods.get(podUID);
    if (pod === undefined) return [];
    pod.desired = false;
    return [...pod.volumes.values()].filter(({ mounted }) => mounted);
  }

  forget(podUID: string): void {
    this.#pods.delete(podUID);
  }

  counts(): VolumeCounts {
    const counts = { desired: new Map<string, number>(), actual: new Map<string, number>() };
    const count = (map: Map<string, number>, plugin: string): unknown => map.set(plugin, (map.get(plugin) ?? 0) + 1);
    for (const { desired, volumes } of this.#pods.values()) {
      for (const { plugin, mounted } of volumes.values()) {
        if (desired) count(counts.desired, plugin);
        if (mounted) count(counts.actual, plugin);
      }
    }
    return counts;
  }
}
