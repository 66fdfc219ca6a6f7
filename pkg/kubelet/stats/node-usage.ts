import { readFile } from 'node:fs/promises';
import { type InterfaceUsage, networkUsage } from './network-usage.ts';
import { type Pressures, readPressures } from './pressure.ts';

const BYTES_PER_KIB = 1024;
/** The kernel's USER_HZ. */
const NANOS_PER_TICK = 10_000_000;

/** What the whole machine uses. */
export interface NodeUsage {
  readonly cpuNanos: number;
  readonly memory: {
    readonly availableBytes: number;
    readonly usageBytes: number;
    readonly workingSetBytes: number;
    readonly rssBytes: number;
    readonly swapBytes: number;
  };
  readonly totalSwapBytes: number;
  readonly processes: number;
  readonly maxProcesses: number;
  readonly interfaces: readonly InterfaceUsage[];
  /** Absent: the kernel does not tell. */
  readonly pressures?: Pressures;
  /** Milliseconds since 1970. */
  readonly bootedAtMs: number;
}

export async function nodeUsage(): Promise<NodeUsage> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [stat, meminfo, loadavg, maxProcesses, interfaces, pressures] = await Promise.all([
    read('/proc/stat'),
    read('/proc/meminfo'),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
    networkUsage('self'),
    readPressures((resource) => `/proc/pressure/${resource}`),
  ]);
  return {
    ...parseStat(stat),
    ...parseMeminfo(meminfo),
    processes: Number(/\/(\d+)/.exec(loadavg)?.[1] ?? 0),
    maxProcesses: Number(maxProcesses),
    interfaces,
    ...(pressures === undefined ? {} : { pressures }),
  };
}

/** Time that was not idle or waited for a disk, and when the machine started. */
export function parseStat(text: string): { cpuNanos: number; bootedAtMs: number } {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(text)?.[1] ?? '')
    .split(' ')
    .map(Number);
  const ticks = user + nice + system + irq + softirq + steal;
  return {
    cpuNanos: ticks * NANOS_PER_TICK,
    bootedAtMs: Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0) * 1000,
  };
}

export function parseMeminfo(text: string): Pick<NodeUsage, 'memory' | 'totalSwapBytes'> {
  const of = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * BYTES_PER_KIB;
  const total = of('MemTotal');
  const usageBytes = total - of('MemFree');
  const workingSetBytes = Math.max(0, usageBytes - of('Inactive\\(file\\)'));
  const totalSwapBytes = of('SwapTotal');
  return {
    memory: {
      availableBytes: total - workingSetBytes,
      usageBytes,
      workingSetBytes,
      rssBytes: of('AnonPages'),
      swapBytes: totalSwapBytes - of('SwapFree'),
    },
    totalSwapBytes,
  };
}
