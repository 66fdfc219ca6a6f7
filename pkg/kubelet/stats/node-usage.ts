import { readFile } from 'node:fs/promises';
import { type InterfaceUsage, networkUsage } from './network-usage.ts';

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
  readonly processes: number;
  readonly maxProcesses: number;
  readonly interfaces: readonly InterfaceUsage[];
  /** Milliseconds since 1970. */
  readonly bootedAtMs: number;
}

export async function nodeUsage(): Promise<NodeUsage> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [stat, meminfo, loadavg, maxProcesses, interfaces] = await Promise.all([
    read('/proc/stat'),
    read('/proc/meminfo'),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
    networkUsage('self'),
  ]);
  return {
    ...parseStat(stat),
    memory: parseMeminfo(meminfo),
    processes: Number(/\/(\d+)/.exec(loadavg)?.[1] ?? 0),
    maxProcesses: Number(maxProcesses),
    interfaces,
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

export function parseMeminfo(text: string): NodeUsage['memory'] {
  const of = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * BYTES_PER_KIB;
  const total = of('MemTotal');
  const usageBytes = total - of('MemFree');
  const workingSetBytes = Math.max(0, usageBytes - of('Inactive\\(file\\)'));
  return {
    availableBytes: total - workingSetBytes,
    usageBytes,
    workingSetBytes,
    rssBytes: of('AnonPages'),
    swapBytes: of('SwapTotal') - of('SwapFree'),
  };
}
