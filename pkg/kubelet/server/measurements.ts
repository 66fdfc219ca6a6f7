import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { cadvisorMetrics } from '../stats/cadvisor-metrics.ts';
import { CpuRates } from '../stats/cpu-rates.ts';
import { Exposition } from '../stats/exposition.ts';
import type { ContainerState } from '../stats/kubelet-metrics.ts';
import { nodeUsage } from '../stats/node-usage.ts';
import { podCounts } from '../stats/pod-counts.ts';
import { resourceMetrics } from '../stats/resource-metrics.ts';
import { statsSummary } from '../stats/summary.ts';
import { groupUsages, podsUsage, type UsageDepth, writableLayers } from '../stats/usage.ts';
import { VolumeUsages } from '../stats/volume-usage.ts';

/** What the node and its pods use, measured when it is asked for. */
export class Measurements {
  readonly #context: KubeletContext;
  readonly #pods: PodManager;
  readonly #rates = new CpuRates();
  readonly #volumes: VolumeUsages;

  constructor(context: KubeletContext, pods: PodManager) {
    this.#context = context;
    this.#pods = pods;
    this.#volumes = new VolumeUsages({
      volumes: context.volumes,
      clock: context.deps.clock,
      metrics: context.metrics.volumes,
    });
  }

  /** `/metrics`: the kubelet's own and those of its process. */
  async ownMetrics(): Promise<string> {
    const { metrics, deps, volumes } = this.#context;
    const containers = new Map<ContainerState, number>();
    let pods = 0;
    for (const { runtime } of this.#pods.workers()) {
      if (runtime.sandboxes[0]?.ready === true) pods++;
      for (const { state } of runtime.containers) containers.set(state, (containers.get(state) ?? 0) + 1);
    }
    const own = await metrics.text({ pods, containers, volumes: volumes.counts() });
    const counts = podCounts([...this.#pods.counted()], this.#pods.mirrors);
    return `${own}${counts}${await this.#volumeMetrics()}${await deps.metrics.metrics()}`;
  }

  async #volumeMetrics(): Promise<string> {
    const out = new Exposition();
    for (const pod of this.#pods.pods()) {
      for (const { claim = '', ...usage } of await this.#volumes.of(pod, true)) {
        const labels = { namespace: pod.metadata.namespace, persistentvolumeclaim: claim };
        for (const [name, value, what] of [
          ['capacity_bytes', usage.capacityBytes, 'Capacity in bytes'],
          ['available_bytes', usage.availableBytes, 'Number of available bytes'],
          ['used_bytes', usage.usedBytes, 'Number of used bytes'],
          ['inodes', usage.inodes, 'Maximum number of inodes'],
          ['inodes_free', usage.inodesFree, 'Number of free inodes'],
          ['inodes_used', usage.inodesUsed, 'Number of used inodes'],
        ] as const) {
          out.add(`kubelet_volume_stats_${name}`, 'gauge', `${what} of the volume.`, labels, value);
        }
      }
    }
    return out.text();
  }

  async resourceMetrics(): Promise<string> {
    const [node, pods] = await Promise.all([nodeUsage(), podsUsage(this.#context, this.#pods, 'usage')]);
    return resourceMetrics(node, pods, this.#context.deps.clock.now());
  }

  async cadvisorMetrics(): Promise<string> {
    const { machine, deps } = this.#context;
    return cadvisorMetrics({ machine, ...(await this.#usages('details')), nowMs: deps.clock.now() });
  }

  async summary(): Promise<object> {
    const context = this.#context;
    const usages = await this.#usages('pressures');
    const nowMs = context.deps.clock.now();
    const volumes = new Map(
      await Promise.all(usages.pods.map(async ({ pod }) => [pod.metadata.uid, await this.#volumes.of(pod)] as const)),
    );
    return statsSummary({ ...usages, volumes, rates: this.#rates, nowMs }, context);
  }

  /** What is measured of the node, its groups of pods, and the pods. */
  async #usages(depth: UsageDepth) {
    const context = this.#context;
    const [node, groups, pods, layers] = await Promise.all([
      nodeUsage(),
      groupUsages(context, depth),
      podsUsage(context, this.#pods, depth),
      writableLayers(context),
    ]);
    return { node, groups, pods, layers };
  }
}
