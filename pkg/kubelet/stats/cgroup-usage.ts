import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
const NANOS_PER_US = 1_000;
/** The kernel's USER_HZ. */
const NANOS_PER_TICK = 10_000_000;
const NO_LIMIT = 2 ** 62;

/** What the processes of one cgroup have used since it was made. Bytes and nanoseconds. */
export interface CgroupUsage {
  readonly cpu: {
    readonly usageNanos: number;
    readonly userNanos: number;
    readonly systemNanos: number;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNanos: number;
  };
  readonly memory: {
    readonly usageBytes: number;
    /** Usage without the page cache that can go at once. */
    readonly workingSetBytes: number;
    readonly rssBytes: number;
    readonly cacheBytes: number;
    readonly mappedFileBytes: number;
    readonly activeFileBytes: number;
    readonly inactiveFileBytes: number;
    readonly swapBytes: number;
    readonly peakBytes: number;
    /** Absent: no limit. */
    readonly limitBytes?: number;
    readonly limitHits: number;
    readonly pageFaults: number;
    readonly majorPageFaults: number;
  };
  readonly threads: number;
}

/** The usage of the cgroup at `path` below the mounts' roots; undefined when there is no such cgroup (any more). */
export async function cgroupUsage(version: 1 | 2, path: string, mount = MOUNT): Promise<CgroupUsage | undefined> {
  return version === 1 ? usageV1(path, mount) : usageV2(join(mount, path));
}

/** Any process of the cgroup; undefined when it has none. */
export async function processOf(version: 1 | 2, path: string, mount = MOUNT): Promise<number | undefined> {
  const text = await read(join(mount, version === 1 ? 'memory' : '', path, 'cgroup.procs'));
  const pid = Number.parseInt(text ?? '', 10);
  return Number.isNaN(pid) ? undefined : pid;
}

async function usageV1(path: string, mount: string): Promise<CgroupUsage | undefined> {
  const at = (controller: string, file: string): Promise<string | undefined> =>
    read(join(mount, controller, path, file));
  const [usage, ticks, cpu, current, memory, peak, limit, hits, pids] = await Promise.all([
    at('cpuacct', 'cpuacct.usage'),
    at('cpuacct', 'cpuacct.stat').then(table),
    at('cpu', 'cpu.stat').then(table),
    at('memory', 'memory.usage_in_bytes'),
    at('memory', 'memory.stat').then(table),
    at('memory', 'memory.max_usage_in_bytes'),
    at('memory', 'memory.limit_in_bytes'),
    at('memory', 'memory.failcnt'),
    at('pids', 'pids.current'),
  ]);
  if (usage === undefined || current === undefined) return undefined;
  const usageBytes = Number(current);
  return {
    cpu: {
      usageNanos: Number(usage),
      userNanos: of(ticks, 'user') * NANOS_PER_TICK,
      systemNanos: of(ticks, 'system') * NANOS_PER_TICK,
      periods: of(cpu, 'nr_periods'),
      throttledPeriods: of(cpu, 'nr_throttled'),
      throttledNanos: of(cpu, 'throttled_time'),
    },
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - of(memory, 'total_inactive_file')),
      rssBytes: of(memory, 'total_rss'),
      cacheBytes: of(memory, 'total_cache'),
      mappedFileBytes: of(memory, 'total_mapped_file'),
      activeFileBytes: of(memory, 'total_active_file'),
      inactiveFileBytes: of(memory, 'total_inactive_file'),
      swapBytes: of(memory, 'total_swap'),
      peakBytes: Number(peak ?? 0),
      ...limited(limit),
      limitHits: Number(hits ?? 0),
      pageFaults: of(memory, 'total_pgfault'),
      majorPageFaults: of(memory, 'total_pgmajfault'),
    },
    threads: Number(pids ?? 0),
  };
}

async function usageV2(directory: string): Promise<CgroupUsage | undefined> {
  const at = (file: string): Promise<string | undefined> => read(join(directory, file));
  const [cpu, current, memory, swap, peak, limit, events, pids] = await Promise.all([
    at('cpu.stat').then(table),
    at('memory.current'),
    at('memory.stat').then(table),
    at('memory.swap.current'),
    at('memory.peak'),
    at('memory.max'),
    at('memory.events').then(table),
    at('pids.current'),
  ]);
  if (!cpu.has('usage_usec') || current === undefined) return undefined;
  const usageBytes = Number(current);
  return {
    cpu: {
      usageNanos: of(cpu, 'usage_usec') * NANOS_PER_US,
      userNanos: of(cpu, 'user_usec') * NANOS_PER_US,
      systemNanos: of(cpu, 'system_usec') * NANOS_PER_US,
      periods: of(cpu, 'nr_periods'),
      throttledPeriods: of(cpu, 'nr_throttled'),
      throttledNanos: of(cpu, 'throttled_usec') * NANOS_PER_US,
    },
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - of(memory, 'inactive_file')),
      rssBytes: of(memory, 'anon'),
      cacheBytes: of(memory, 'file'),
      mappedFileBytes: of(memory, 'file_mapped'),
      activeFileBytes: of(memory, 'active_file'),
      inactiveFileBytes: of(memory, 'inactive_file'),
      swapBytes: Number(swap ?? 0),
      peakBytes: Number(peak ?? 0),
      ...limited(limit),
      limitHits: of(events, 'max'),
      pageFaults: of(memory, 'pgfault'),
      majorPageFaults: of(memory, 'pgmajfault'),
    },
    threads: Number(pids ?? 0),
  };
}

async function read(path: string): Promise<string | undefined> {
  // The cgroup may end while it is read.
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** `name value` lines. */
function table(text: string | undefined): ReadonlyMap<string, number> {
  const rows = (text ?? '').split('\n').map((line) => line.split(' '));
  return new Map(rows.map(([name = '', value]) => [name, Number(value)]));
}

function of(rows: ReadonlyMap<string, number>, name: string): number {
  return rows.get(name) ?? 0;
}

function limited(text: string | undefined): { limitBytes?: number } {
  const bytes = Number(text ?? 'max');
  return Number.isNaN(bytes) || bytes > NO_LIMIT ? {} : { limitBytes: bytes };
}
