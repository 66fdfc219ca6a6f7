import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { cadvisorMetrics } from '../stats/cadvisor-metrics.ts';
import { CpuRates } from '../stats/cpu-rates.ts';
import { nodeUsage } from '../stats/node-usage.ts';
import { resourceMetrics } from '../stats/resource-metrics.ts';
import { statsSummary } from '../stats/summary.ts';
import { podsUsage, writableLayers } from '../stats/usage.ts';

/** What the node and its pods use, measured when it is asked for. */
export class Measurements {
  readonly #context: KubeletContext;
  readonly #pods: PodManager;
  readonly #rates = new CpuRates();

  constructor(context: KubeletContext, pods: PodManager) {
    this.#context = context;
    this.#pods = pods;
  }

  async resourceMetrics(): Promise<string> {
    const [node, pods] = await Promise.all([nodeUsage(), podsUsage(this.#context, this.#pods)]);
    return resourceMetrics(node, pods, this.#context.deps.clock.now());
  }

  async cadvisorMetrics(): Promise<string> {
    const { machine, deps } = this.#context;
    const [pods, layers] = await Promise.all([podsUsage(this.#context, this.#pods), writableLayers(this.#context)]);
    return cadvisorMetrics(machine, pods, layers, deps.clock.now());
  }

  async summary(): Promise<object> {
    const context = this.#context;
    const [node, pods, layers] = await Promise.all([
      nodeUsage(),
      podsUsage(context, this.#pods),
      writableLayers(context),
    ]);
    const nowMs = context.deps.clock.now();
    return statsSummary({ node, pods, layers, rates: this.#rates, nowMs }, context);
  }
}
