import { quantityMilliValue } from '../../api/quantity.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares } from '../container/resources.ts';
import type { Machine } from '../node/machine.ts';
import type { CgroupUsage } from './cgroup-usage.ts';
import { Exposition, type LabelValues } from './exposition.ts';
import type { InterfaceUsage } from './network-usage.ts';
import type { ContainerUsage, PodUsage } from './usage.ts';

const NANOS = 1e9;

/** `/metrics/cadvisor`: per container and pod what dashboards of Kubernetes show, by cAdvisor's names. Pure. */
export function cadvisorMetrics(
  machine: Pick<Machine, 'cpus' | 'memoryBytes' | 'machineID' | 'bootID' | 'systemUUID'>,
  pods: readonly PodUsage[],
  layers: ReadonlyMap<string, { readonly usedBytes: { readonly value: number } | null }>,
  nowMs: number,
): string {
  const out = new Exposition();
  for (const { pod, path, used, interfaces, containers } of pods) {
    const { namespace, name } = pod.metadata;
    const podLabels = { container: '', id: path, image: '', name: '', namespace, pod: name };
    if (used !== undefined) addUsage(out, podLabels, used, nowMs);
    for (const one of interfaces) addInterface(out, podLabels, one, nowMs);
    for (const { container, spec, path: own, used: usage } of containers) {
      const labels = {
        container: container.name,
        id: own,
        image: container.image,
        name: container.id,
        namespace,
        pod: name,
      };
      addUsage(out, labels, usage, nowMs);
      addContainer(out, labels, { container, spec }, nowMs);
      const written = layers.get(container.id)?.usedBytes?.value;
      if (written === undefined) continue;
      const onDevice = { ...labels, device: '' };
      out.add(
        'container_fs_usage_bytes',
        'gauge',
        'Number of bytes that are consumed by the container',
        onDevice,
        written,
        nowMs,
      );
    }
  }
  const labels = { boot_id: machine.bootID, machine_id: machine.machineID, system_uuid: machine.systemUUID };
  out.add('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.', labels, machine.cpus);
  out.add('machine_memory_bytes', 'gauge', 'Amount of memory installed on the machine.', labels, machine.memoryBytes);
  return out.text();
}

function addUsage(out: Exposition, labels: LabelValues, { cpu, memory, threads }: CgroupUsage, nowMs: number): void {
  const counter = (name: string, help: string, value: number, more: LabelValues = {}): void =>
    out.add(`container_${name}`, 'counter', help, { ...labels, ...more }, value, nowMs);
  const gauge = (name: string, help: string, value: number): void =>
    out.add(`container_${name}`, 'gauge', help, labels, value, nowMs);
  counter('cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', cpu.usageNanos / NANOS, {
    cpu: 'total',
  });
  counter('cpu_user_seconds_total', 'Cumulative user cpu time consumed in seconds.', cpu.userNanos / NANOS);
  counter('cpu_system_seconds_total', 'Cumulative system cpu time consumed in seconds.', cpu.systemNanos / NANOS);
  counter('cpu_cfs_periods_total', 'Number of elapsed enforcement period intervals.', cpu.periods);
  counter('cpu_cfs_throttled_periods_total', 'Number of throttled period intervals.', cpu.throttledPeriods);
  counter(
    'cpu_cfs_throttled_seconds_total',
    'Total time duration the container has been throttled.',
    cpu.throttledNanos / NANOS,
  );
  gauge(
    'memory_usage_bytes',
    'Current memory usage in bytes, including all memory regardless of when it was accessed',
    memory.usageBytes,
  );
  gauge('memory_working_set_bytes', 'Current working set in bytes.', memory.workingSetBytes);
  gauge('memory_rss', 'Size of RSS in bytes.', memory.rssBytes);
  gauge('memory_cache', 'Number of bytes of page cache memory.', memory.cacheBytes);
  gauge('memory_mapped_file', 'Size of memory mapped files in bytes.', memory.mappedFileBytes);
  gauge('memory_swap', 'Container swap usage in bytes.', memory.swapBytes);
  gauge('memory_max_usage_bytes', 'Maximum memory usage recorded in bytes', memory.peakBytes);
  counter('memory_failcnt', 'Number of memory usage hits limits', memory.limitHits);
  const faults = (type: string, value: number): void =>
    counter('memory_failures_total', 'Cumulative count of memory allocation failures.', value, {
      failure_type: type,
      scope: 'container',
    });
  faults('pgfault', memory.pageFaults);
  faults('pgmajfault', memory.majorPageFaults);
  gauge('threads', 'Number of threads running inside the container', threads);
}

function addContainer(
  out: Exposition,
  labels: LabelValues,
  { container, spec }: Pick<ContainerUsage, 'container' | 'spec'>,
  nowMs: number,
): void {
  const gauge = (name: string, help: string, value: number, atMs?: number): void =>
    out.add(`container_${name}`, 'gauge', help, labels, value, atMs);
  gauge('start_time_seconds', 'Start time of the container since unix epoch in seconds.', container.startedAtMs / 1000);
  gauge('last_seen', 'Last time a container was seen by the exporter', Math.trunc(nowMs / 1000));
  const { limits = {}, requests = {} } = spec.resources ?? {};
  const cpu = requests['cpu'] ?? limits['cpu'];
  gauge('spec_cpu_shares', 'CPU share of the container.', cpuShares(cpu === undefined ? 0 : quantityMilliValue(cpu)));
  gauge('spec_cpu_period', 'CPU period of the container.', CPU_PERIOD_US);
  if (limits['cpu'] !== undefined) {
    gauge('spec_cpu_quota', 'CPU quota of the container.', cpuQuota(quantityMilliValue(limits['cpu'])));
  }
  const memory = limits['memory'];
  const limit = memory === undefined ? 0 : quantityMilliValue(memory) / 1000;
  gauge('spec_memory_limit_bytes', 'Memory limit for the container.', limit);
}

function addInterface(out: Exposition, labels: LabelValues, one: InterfaceUsage, nowMs: number): void {
  const counter = (name: string, help: string, value: number): void =>
    out.add(`container_network_${name}_total`, 'counter', help, { ...labels, interface: one.name }, value, nowMs);
  counter('receive_bytes', 'Cumulative count of bytes received', one.rxBytes);
  counter('receive_packets', 'Cumulative count of packets received', one.rxPackets);
  counter('receive_errors', 'Cumulative count of errors encountered while receiving', one.rxErrors);
  counter('receive_packets_dropped', 'Cumulative count of packets dropped while receiving', one.rxDropped);
  counter('transmit_bytes', 'Cumulative count of bytes transmitted', one.txBytes);
  counter('transmit_packets', 'Cumulative count of packets transmitted', one.txPackets);
  counter('transmit_errors', 'Cumulative count of errors encountered while transmitting', one.txErrors);
  counter('transmit_packets_dropped', 'Cumulative count of packets dropped while transmitting', one.txDropped);
}
