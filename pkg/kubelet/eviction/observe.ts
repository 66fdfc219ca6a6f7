import { readFile, statfs } from 'node:fs/promises';
import type { Observation, Signal } from './thresholds.ts';

const KIB = 1024;

/** What of the node's memory no process needs now: free, or only a cache of files that nobody used lately. Pure. */
export function availableMemory(meminfo: string): Observation {
  const value = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * KIB;
  return { available: value('MemFree') + value('Inactive\\(file\\)'), capacity: value('MemTotal') };
}

/** `loadavg`: `/proc/loadavg`, whose fourth field counts all threads. Pure. */
export function availablePIDs(loadavg: string, pidMax: string, threadsMax: string): Observation {
  const capacity = Math.min(Number(pidMax), Number(threadsMax));
  const running = Number(loadavg.split(' ')[3]?.split('/')[1] ?? 0);
  return { available: Math.max(0, capacity - running), capacity };
}

/** Measures the node: `nodeDir` and `imageDir` are directories on the file systems of pods and of images. */
export async function observeNode(nodeDir: string, imageDir: string): Promise<Map<Signal, Observation>> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const [meminfo, loadavg, pidMax, threadsMax, node, image] = await Promise.all([
    read('/proc/meminfo'),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
    read('/proc/sys/kernel/threads-max'),
    statfs(nodeDir),
    statfs(imageDir),
  ]);
  return new Map<Signal, Observation>([
    ['memory.available', availableMemory(meminfo)],
    ['nodefs.available', { available: node.bavail * node.bsize, capacity: node.blocks * node.bsize }],
    // Some file systems make inodes as they need them and count none.
    ...(node.files === 0 ? [] : [['nodefs.inodesFree', { available: node.ffree, capacity: node.files }] as const]),
    ['imagefs.available', { available: image.bavail * image.bsize, capacity: image.blocks * image.bsize }],
    ...(image.files === 0 ? [] : [['imagefs.inodesFree', { available: image.ffree, capacity: image.files }] as const]),
    ['pid.available', availablePIDs(loadavg, pidMax, threadsMax)],
  ]);
}
