import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import { CONTAINER_NAME_LABEL, NODE_LABEL, POD_UID_LABEL } from '../labels.ts';
import type { Pod } from '../types.ts';
import { type DiskUsage, diskUsage } from './disk-usage.ts';
import type { LocalStorageUsage } from './local-limits.ts';

/** What one container of a pod uses now. */
export interface ContainerUsage {
  readonly memoryBytes: number;
  /** Its writable layer and its logs. */
  readonly disk: DiskUsage;
}

export interface PodUsage {
  readonly containers: ReadonlyMap<string, ContainerUsage>;
  /** By the name of an emptyDir volume. */
  readonly emptyDirs: ReadonlyMap<string, DiskUsage>;
  readonly processes: number;
}

const NOTHING: ContainerUsage = { memoryBytes: 0, disk: { bytes: 0, inodes: 0 } };

/** Measures pods: one question to the runtime for all, then their logs and volumes on the disk one after the other. */
export async function podUsages(
  pods: readonly Pod[],
  context: KubeletContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PodUsage>> {
  const labelSelector = { [NODE_LABEL]: context.options.nodeName };
  const stats = await context.deps.cri.runtime.listContainerStats({ labelSelector }, { signal });
  const usages = new Map<string, PodUsage>();
  for (const pod of pods) {
    signal.throwIfAborted();
    const containers = new Map<string, ContainerUsage>();
    for (const { attributes, memory, writableLayer } of stats) {
      if (attributes.labels[POD_UID_LABEL] !== pod.metadata.uid) continue;
      const name = attributes.labels[CONTAINER_NAME_LABEL] ?? '';
      const layer = { bytes: writableLayer?.usedBytes?.value ?? 0, inodes: writableLayer?.inodesUsed?.value ?? 0 };
      containers.set(name, { memoryBytes: memory?.workingSetBytes?.value ?? 0, disk: layer });
    }
    await addLogs(pod, containers, context);
    const processes = await processCount(context.cgroups.path(pod), context.machine.cgroupVersion);
    usages.set(pod.metadata.uid, { containers, emptyDirs: await emptyDirUsages(pod, context), processes });
  }
  return usages;
}

/** The part that local storage limits are about. */
export function localStorage({ containers, emptyDirs }: PodUsage): LocalStorageUsage {
  const bytes = <T>(map: ReadonlyMap<string, T>, of: (value: T) => number): Map<string, number> =>
    new Map([...map].map(([name, value]) => [name, of(value)]));
  return { containers: bytes(containers, ({ disk }) => disk.bytes), emptyDirs: bytes(emptyDirs, (disk) => disk.bytes) };
}

async function addLogs(pod: Pod, containers: Map<string, ContainerUsage>, context: KubeletContext): Promise<void> {
  const directory = podLogDirectory(context.options, pod);
  for (const name of await readdir(directory).catch(() => [])) {
    const { memoryBytes, disk } = containers.get(name) ?? NOTHING;
    const logs = await diskUsage(join(directory, name));
    const sum = { bytes: disk.bytes + logs.bytes, inodes: disk.inodes + logs.inodes };
    containers.set(name, { memoryBytes, disk: sum });
  }
}

async function emptyDirUsages(pod: Pod, context: KubeletContext): Promise<Map<string, DiskUsage>> {
  const usages = new Map<string, DiskUsage>();
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir === undefined) continue;
    usages.set(name, await diskUsage(context.volumes.emptyDirPath(pod.metadata.uid, name)));
  }
  return usages;
}

/** The processes in a cgroup and those below it; 0 where nothing counts them. */
async function processCount(path: string, version: 1 | 2): Promise<number> {
  if (path === '') return 0;
  const file = join('/sys/fs/cgroup', version === 2 ? '' : 'pids', path, 'pids.current');
  return Number(await readFile(file, 'utf8').catch(() => '0'));
}
