import { readdir, statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { FilesystemUsage } from '../../cri/index.ts';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import { type DiskUsage, diskUsage } from '../eviction/disk-usage.ts';
import type { Pod } from '../types.ts';
import type { CgroupUsage } from './cgroup-usage.ts';
import type { CpuRates } from './cpu-rates.ts';
import type { InterfaceUsage } from './network-usage.ts';
import type { NodeUsage } from './node-usage.ts';
import type { Pressure, Pressures } from './pressure.ts';
import type { ContainerUsage, GroupUsage, PodUsage } from './usage.ts';
import type { VolumeUsage } from './volume-usage.ts';

export interface SummaryInput {
  readonly node: NodeUsage;
  readonly pods: readonly PodUsage[];
  /** Those above the pods, the one that all are in first. */
  readonly groups: readonly GroupUsage[];
  readonly layers: ReadonlyMap<string, FilesystemUsage>;
  /** By the pod's uid. */
  readonly volumes: ReadonlyMap<string, readonly VolumeUsage[]>;
  readonly rates: CpuRates;
  readonly nowMs: number;
}

/** `/stats/summary` (upstream's stats/v1alpha1 Summary). */
export async function statsSummary(input: SummaryInput, context: KubeletContext): Promise<object> {
  const { node, pods, groups, rates, nowMs } = input;
  const [all] = groups;
  const time = timeText(nowMs);
  const fs = await filesystem(context.options.rootDir, time);
  const { availableBytes, usageBytes, workingSetBytes, rssBytes } = node.memory;
  return {
    node: {
      nodeName: context.options.nodeName,
      systemContainers:
        all === undefined
          ? []
          : [
              {
                name: 'pods',
                startTime: timeText(node.bootedAtMs),
                ...measured(all.used, all.pressures, all.path, rates, nowMs, node.bootedAtMs),
              },
            ],
      startTime: timeText(node.bootedAtMs),
      cpu: {
        time,
        usageNanoCores: rates.nanoCores('/', node.cpuNanos, nowMs, node.bootedAtMs),
        usageCoreNanoSeconds: node.cpuNanos,
        ...psi(node.pressures?.cpu),
      },
      memory: { time, availableBytes, usageBytes, workingSetBytes, rssBytes, ...psi(node.pressures?.memory) },
      ...io(node.pressures, time),
      swap: { time, swapUsageBytes: node.memory.swapBytes },
      network: network(defaultFirst(node.interfaces, context.options.nodeIPs[0]), time),
      fs,
      runtime: { imageFs: await imageFilesystem(context, time, fs), containerFs: fs },
      rlimit: { time, maxpid: node.maxProcesses, curproc: node.processes },
    },
    pods: await Promise.all(
      pods.map(async (usage) => podSummary(usage, await logUsages(usage.pod, context), input, fs)),
    ),
  };
}

/** What the logs of a pod's containers take, by container. */
async function logUsages(pod: Pod, { options }: KubeletContext): Promise<ReadonlyMap<string, DiskUsage>> {
  const directory = podLogDirectory(options, pod);
  const names = await readdir(directory).catch(() => []);
  return new Map(await Promise.all(names.map(async (name) => [name, await diskUsage(join(directory, name))] as const)));
}

function podSummary(
  usage: PodUsage,
  logs: ReadonlyMap<string, DiskUsage>,
  { layers, volumes, rates, nowMs }: SummaryInput,
  fs: object,
): object {
  const { pod, path, used, interfaces, containers } = usage;
  const { name, namespace, uid, creationTimestamp } = pod.metadata;
  const time = timeText(nowMs);
  const startedAtMs = Math.min(nowMs, ...containers.map(({ container }) => container.startedAtMs));
  const layered = containers.reduce((sum, { container }) => sum + (layers.get(container.id)?.usedBytes?.value ?? 0), 0);
  const logged = [...logs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status.startTime ?? creationTimestamp,
    containers: containers.map((one) => ({
      ...containerSummary(one, layers.get(one.container.id), rates, nowMs, fs),
      ...logSummary(logs.get(one.container.name), fs),
    })),
    ...(used === undefined ? {} : measured(used, usage.pressures, path, rates, nowMs, startedAtMs)),
    ...(interfaces.length === 0 ? {} : { network: network(interfaces, time) }),
    volume: (volumes.get(uid) ?? []).map(({ claim, ...measuredVolume }) => ({
      time,
      ...measuredVolume,
      ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace } }),
    })),
    'ephemeral-storage': { ...fs, usedBytes: layered + logged },
    ...(used === undefined ? {} : { process_stats: { process_count: used.threads } }),
  };
}

function containerSummary(
  { container, path, used, pressures }: ContainerUsage,
  layer: FilesystemUsage | undefined,
  rates: CpuRates,
  nowMs: number,
  fs: object,
): object {
  return {
    name: container.name,
    startTime: timeText(container.startedAtMs),
    ...measured(used, pressures, path, rates, nowMs, container.startedAtMs),
    ...(layer === undefined
      ? {}
      : { rootfs: { ...fs, usedBytes: layer.usedBytes?.value ?? 0, inodesUsed: layer.inodesUsed?.value ?? 0 } }),
  };
}

function logSummary(usage: DiskUsage | undefined, fs: object): object {
  return usage === undefined ? {} : { logs: { ...fs, usedBytes: usage.bytes, inodesUsed: usage.inodes } };
}

function measured(
  used: CgroupUsage,
  pressures: Pressures | undefined,
  path: string,
  rates: CpuRates,
  nowMs: number,
  startedAtMs: number,
): object {
  const { cpu, memory } = used;
  const time = timeText(nowMs);
  return {
    cpu: {
      time,
      usageNanoCores: rates.nanoCores(path, cpu.usageNanos, nowMs, startedAtMs),
      usageCoreNanoSeconds: cpu.usageNanos,
      ...psi(pressures?.cpu),
    },
    memory: {
      time,
      ...(memory.limitBytes === undefined
        ? {}
        : { availableBytes: Math.max(0, memory.limitBytes - memory.workingSetBytes) }),
      usageBytes: memory.usageBytes,
      workingSetBytes: memory.workingSetBytes,
      rssBytes: memory.rssBytes,
      pageFaults: memory.pageFaults,
      majorPageFaults: memory.majorPageFaults,
      ...psi(pressures?.memory),
    },
    ...io(pressures, time),
    swap: { time, swapUsageBytes: memory.swapBytes },
  };
}

function psi(pressure: Pressure | undefined): object {
  if (pressure === undefined) return {};
  const times = ({ totalMicros: total, ...averages }: Pressure['some']): object => ({ total, ...averages });
  return { psi: { full: times(pressure.full), some: times(pressure.some) } };
}

function io(pressures: Pressures | undefined, time: string): object {
  return pressures === undefined ? {} : { io: { time, ...psi(pressures.io) } };
}

/** The first interface is the default one. */
function network(interfaces: readonly InterfaceUsage[], time: string): object {
  const all = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
  return { time, ...all[0], interfaces: all };
}

/** The interface that has the node's address before the others. */
function defaultFirst(interfaces: readonly InterfaceUsage[], address: string | undefined): InterfaceUsage[] {
  const addresses = networkInterfaces();
  const isDefault = ({ name }: InterfaceUsage): boolean =>
    addresses[name]?.some((one) => one.address === address) === true;
  return [...interfaces.filter(isDefault), ...interfaces.filter((one) => !isDefault(one))];
}

async function filesystem(directory: string, time: string): Promise<object> {
  const { bavail, bfree, blocks, bsize, ffree, files } = await statfs(directory);
  return {
    time,
    availableBytes: bavail * bsize,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodesFree: ffree,
    inodes: files,
    inodesUsed: files - ffree,
  };
}

async function imageFilesystem(context: KubeletContext, time: string, fs: object): Promise<object> {
  const [found] = await context.deps.cri.images.imageFsInfo();
  const mountpoint = found?.fsId?.mountpoint;
  // Another machine's view of the runtime's directory is not ours.
  const whole = mountpoint === undefined ? fs : await filesystem(mountpoint, time).catch(() => fs);
  return { ...whole, usedBytes: found?.usedBytes?.value ?? 0, inodesUsed: found?.inodesUsed?.value ?? 0 };
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
