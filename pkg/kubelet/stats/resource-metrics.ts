import { Exposition } from './exposition.ts';
import type { NodeUsage } from './node-usage.ts';
import type { PodUsage } from './usage.ts';

const NANOS = 1e9;
const CPU = 'Cumulative cpu time consumed in core-seconds';
const MEMORY = 'Current working set in bytes';
const SWAP = 'Current amount of swap usage in bytes';

/** `/metrics/resource`: what autoscalers and `kubectl top` read. Pure. */
export function resourceMetrics(node: NodeUsage, pods: readonly PodUsage[], nowMs: number): string {
  const out = new Exposition();
  const three = (scope: string, labels: Record<string, string>, cpu: number, memory: number, swap: number): void => {
    out.add(`${scope}_cpu_usage_seconds_total`, 'counter', `${CPU} by the ${scope}`, labels, cpu / NANOS, nowMs);
    out.add(`${scope}_memory_working_set_bytes`, 'gauge', `${MEMORY} of the ${scope}`, labels, memory, nowMs);
    out.add(`${scope}_swap_usage_bytes`, 'gauge', `${SWAP} of the ${scope}`, labels, swap, nowMs);
  };
  three('node', {}, node.cpuNanos, node.memory.workingSetBytes, node.memory.swapBytes);
  for (const { pod, used, containers } of pods) {
    const { namespace, name } = pod.metadata;
    for (const { container, used: own } of containers) {
      const labels = { container: container.name, namespace, pod: name };
      three('container', labels, own.cpu.usageNanos, own.memory.workingSetBytes, own.memory.swapBytes);
      out.add(
        'container_start_time_seconds',
        'gauge',
        'Start time of the container since unix epoch in seconds',
        labels,
        container.startedAtMs / 1000,
      );
    }
    if (used === undefined) continue;
    three('pod', { namespace, pod: name }, used.cpu.usageNanos, used.memory.workingSetBytes, used.memory.swapBytes);
  }
  out.add(
    'resource_scrape_error',
    'gauge',
    '1 if there was an error while getting container metrics, 0 otherwise',
    {},
    0,
  );
  return out.text();
}
