import { quantityMilliValue } from '../../api/quantity.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares } from '../container/resources.ts';
import type { Machine } from '../node/machine.ts';
import type { CgroupDetails } from './cgroup-details.ts';
import type { CgroupUsage } from './cgroup-usage.ts';
import { Exposition, type LabelValues } from './exposition.ts';
import type { InterfaceUsage } from './network-usage.ts';
import type { NodeUsage } from './node-usage.ts';
import type { OpenFiles } from './open-files.ts';
import type { Pressures } from './pressure.ts';
import type { ContainerUsage, GroupUsage, Measured, PodUsage } from './usage.ts';

const NANOS = 1e9;
const MICROS = 1e6;

export interface CadvisorInput {
  readonly machine: Pick<
    Machine,
    'cpus' | 'memoryBytes' | 'machineID' | 'bootID' | 'systemUUID' | 'kernelVersion' | 'osImage'
  >;
  readonly node: NodeUsage;
  readonly groups: readonly GroupUsage[];
  readonly pods: readonly PodUsage[];
  /** By container id. */
  readonly layers: ReadonlyMap<string, { readonly usedBytes: { readonly value: number } | null }>;
  readonly nowMs: number;
}

const NO_LABELS = { container: '', image: '', name: '', namespace: '', pod: '' };

/** `/metrics/cadvisor`: per container, pod and group of pods what dashboards of Kubernetes show, by cAdvisor's names. Pure. */
export function cadvisorMetrics({ machine, node, groups, pods, layers, nowMs }: CadvisorInput): string {
  const out = new Exposition();
  const { kernelVersion, osImage: osVersion } = machine;
  const versions = { cadvisorRevision: '', cadvisorVersion: '', dockerVersion: '', kernelVersion, osVersion };
  out.add('cadvisor_version_info', 'gauge', 'What the node runs. The value is always 1.', versions, 1);
  addNode(out, node, nowMs);
  const addMeasured = (labels: LabelValues, { used, details, pressures }: Partial<Measured>): void => {
    if (used !== undefined) addUsage(out, labels, used, nowMs);
    if (details !== undefined) addDetails(out, labels, details, nowMs);
    if (pressures !== undefined) addPressures(out, labels, pressures, nowMs);
  };
  for (const group of groups) addMeasured({ ...NO_LABELS, id: group.path }, group);
  for (const usage of pods) {
    const { namespace, name } = usage.pod.metadata;
    const podLabels = { ...NO_LABELS, id: usage.path, namespace, pod: name };
    addMeasured(podLabels, usage);
    for (const one of usage.interfaces) addInterface(out, podLabels, one, nowMs);
    for (const one of usage.containers) {
      const { container, spec, open } = one;
      const { id, image } = container;
      const labels = { container: container.name, id: one.path, image, name: id, namespace, pod: name };
      addMeasured(labels, one);
      addContainer(out, labels, { container, spec }, nowMs);
      if (open !== undefined) addOpen(out, labels, open, nowMs);
      const written = layers.get(id)?.usedBytes?.value;
      if (written === undefined) continue;
      const help = 'Number of bytes that are consumed by the container';
      out.add('container_fs_usage_bytes', 'gauge', help, { ...labels, device: '' }, written, nowMs);
    }
  }
  addMachine(out, machine, node);
  out.add('container_scrape_error', 'gauge', '1 if something could not be measured, 0 otherwise', {}, 0);
  return out.text();
}

/** The whole machine, as the group that all others are in. */
function addNode(out: Exposition, { cpuNanos, memory, interfaces, bootedAtMs }: NodeUsage, nowMs: number): void {
  const labels = { ...NO_LABELS, id: '/' };
  const gauge = (name: string, help: string, value: number): void =>
    out.add(`container_memory_${name}`, 'gauge', help, labels, value, nowMs);
  out.add(
    'container_cpu_usage_seconds_total',
    'counter',
    CPU_HELP,
    { ...labels, cpu: 'total' },
    cpuNanos / NANOS,
    nowMs,
  );
  gauge('usage_bytes', MEMORY_HELP, memory.usageBytes);
  gauge('working_set_bytes', WORKING_SET_HELP, memory.workingSetBytes);
  gauge('rss', RSS_HELP, memory.rssBytes);
  gauge('swap', SWAP_HELP, memory.swapBytes);
  out.add('container_start_time_seconds', 'gauge', START_HELP, labels, bootedAtMs / 1000);
  for (const one of interfaces) addInterface(out, labels, one, nowMs);
}

function addMachine(out: Exposition, machine: CadvisorInput['machine'], { totalSwapBytes }: NodeUsage): void {
  const labels = { boot_id: machine.bootID, machine_id: machine.machineID, system_uuid: machine.systemUUID };
  out.add('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.', labels, machine.cpus);
  out.add('machine_memory_bytes', 'gauge', 'Amount of memory installed on the machine.', labels, machine.memoryBytes);
  out.add('machine_swap_bytes', 'gauge', 'Amount of swap memory available on the machine.', labels, totalSwapBytes);
  out.add('machine_scrape_error', 'gauge', '1 if something of the machine could not be measured, 0 otherwise.', {}, 0);
}

const CPU_HELP = 'Cumulative cpu time consumed in seconds.';
const MEMORY_HELP = 'Current memory usage in bytes, including all memory regardless of when it was accessed';
const WORKING_SET_HELP = 'Current working set in bytes.';
const RSS_HELP = 'Size of RSS in bytes.';
const SWAP_HELP = 'Container swap usage in bytes.';
const START_HELP = 'Start time of the container since unix epoch in seconds.';

function addUsage(out: Exposition, labels: LabelValues, { cpu, memory, threads }: CgroupUsage, nowMs: number): void {
  const counter = (name: string, help: string, value: number, more: LabelValues = {}): void =>
    out.add(`container_${name}`, 'counter', help, { ...labels, ...more }, value, nowMs);
  const gauge = (name: string, help: string, value: number): void =>
    out.add(`container_${name}`, 'gauge', help, labels, value, nowMs);
  counter('cpu_usage_seconds_total', CPU_HELP, cpu.usageNanos / NANOS, {
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
  gauge('memory_usage_bytes', MEMORY_HELP, memory.usageBytes);
  gauge('memory_working_set_bytes', WORKING_SET_HELP, memory.workingSetBytes);
  gauge('memory_rss', RSS_HELP, memory.rssBytes);
  gauge('memory_total_active_file_bytes', 'Current total active file in bytes.', memory.activeFileBytes);
  gauge('memory_total_inactive_file_bytes', 'Current total inactive file in bytes.', memory.inactiveFileBytes);
  gauge('memory_cache', 'Number of bytes of page cache memory.', memory.cacheBytes);
  gauge('memory_mapped_file', 'Size of memory mapped files in bytes.', memory.mappedFileBytes);
  gauge('memory_swap', SWAP_HELP, memory.swapBytes);
  gauge('memory_max_usage_bytes', 'Maximum memory usage recorded in bytes', memory.peakBytes);
  counter('memory_failcnt', 'Number of memory usage hits limits', memory.limitHits);
  const faults = (type: string, value: number): void => {
    for (const scope of ['container', 'hierarchy']) {
      counter('memory_failures_total', 'Cumulative count of memory allocation failures.', value, {
        failure_type: type,
        scope,
      });
    }
  };
  faults('pgfault', memory.pageFaults);
  faults('pgmajfault', memory.majorPageFaults);
  gauge('threads', 'Number of threads running inside the container', threads);
}

function addDetails(out: Exposition, labels: LabelValues, details: CgroupDetails, nowMs: number): void {
  const { processes, maxThreads, oomKills, kernelBytes, devices } = details;
  const counter = (name: string, help: string, value: number, more: LabelValues = {}): void =>
    out.add(`container_${name}`, 'counter', help, { ...labels, ...more }, value, nowMs);
  const gauge = (name: string, help: string, value: number): void =>
    out.add(`container_${name}`, 'gauge', help, labels, value, nowMs);
  gauge('processes', 'Number of processes running inside the container.', processes);
  gauge('threads_max', 'Maximum number of threads allowed inside the container, infinity if value is zero', maxThreads);
  counter('oom_events_total', 'Count of out of memory events observed for the container', oomKills);
  gauge('memory_kernel_usage', 'Size of kernel memory allocated in bytes.', kernelBytes);
  for (const { device, readBytes, reads, writtenBytes, writes } of devices) {
    counter('fs_reads_bytes_total', 'Cumulative count of bytes read', readBytes, { device });
    counter('fs_reads_total', 'Cumulative count of reads completed', reads, { device });
    counter('fs_writes_bytes_total', 'Cumulative count of bytes written', writtenBytes, { device });
    counter('fs_writes_total', 'Cumulative count of writes completed', writes, { device });
  }
}

function addPressures(out: Exposition, labels: LabelValues, pressures: Pressures, nowMs: number): void {
  const counter = (name: string, help: string, value: number): void =>
    out.add(`container_pressure_${name}`, 'counter', help, labels, value, nowMs);
  for (const [resource, { some, full }] of Object.entries(pressures)) {
    const what = resource === 'memory' ? resource : resource.toUpperCase();
    const stalled = `Total time duration no tasks in the container could make progress due to ${what} congestion.`;
    counter(`${resource}_stalled_seconds_total`, stalled, full.totalMicros / MICROS);
    const waiting = `Total time duration tasks in the container have waited due to ${what} congestion.`;
    counter(`${resource}_waiting_seconds_total`, waiting, some.totalMicros / MICROS);
  }
}

/** Of a container's own processes; groups have none. */
function addOpen(out: Exposition, labels: LabelValues, { files: openFiles, sockets }: OpenFiles, nowMs: number): void {
  const files = 'Number of open file descriptors for the container.';
  out.add('container_file_descriptors', 'gauge', files, labels, openFiles, nowMs);
  out.add('container_sockets', 'gauge', 'Number of open sockets for the container.', labels, sockets, nowMs);
}

function addContainer(
  out: Exposition,
  labels: LabelValues,
  { container, spec }: Pick<ContainerUsage, 'container' | 'spec'>,
  nowMs: number,
): void {
  const gauge = (name: string, help: string, value: number, atMs?: number): void =>
    out.add(`container_${name}`, 'gauge', help, labels, value, atMs);
  gauge('start_time_seconds', START_HELP, container.startedAtMs / 1000);
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
