import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { podDirectory } from '../container/mounts.ts';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import type { Pod } from '../types.ts';

/** Of a pod's own files and of its logs. A node that only pretends has none: nothing would ever be written there. */
export async function makePodDirectories(pod: Pod, context: KubeletContext): Promise<void> {
  if (context.options.hollow === true) return;
  await mkdir(podDirectory(context, pod.metadata.uid), { recursive: true, mode: 0o750 });
  await mkdir(podLogDirectory(context.options, pod), { recursive: true, mode: 0o755 });
}

export async function makeLogDirectory(pod: Pod, container: string, { options }: KubeletContext): Promise<void> {
  if (options.hollow === true) return;
  await mkdir(join(podLogDirectory(options, pod), container), { recursive: true, mode: 0o755 });
}

export async function removePodDirectories(pod: Pod, context: KubeletContext): Promise<void> {
  if (context.options.hollow === true) return;
  await rm(podLogDirectory(context.options, pod), { recursive: true, force: true });
  await rm(podDirectory(context, pod.metadata.uid), { recursive: true, force: true });
}
