import { readdir, rm } from 'node:fs/promises';
import { systemClock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import type { CRI } from '../cri/index.ts';
import { PodCgroups } from './cgroups/pod-cgroups.ts';
import { NODE_LABEL, POD_UID_LABEL } from './labels.ts';
import { ignoreNotFound } from './runtime/not-found.ts';
import { unmountAll } from './volumes/mount-table.ts';

/** Ends and removes all pods of a node from its runtime, at once. For uninstalling: nothing is reported anywhere. */
export async function removeAllPods(cri: CRI, nodeName: string): Promise<void> {
  const { runtime } = cri;
  const sandboxes = (await runtime.listPodSandbox()).filter(({ labels }) => {
    const owner = labels[NODE_LABEL];
    return labels[POD_UID_LABEL] !== undefined && owner === nodeName;
  });
  await Promise.all(
    sandboxes.map(async ({ id }) => {
      const containers = await runtime.listContainers({ podSandboxId: id });
      await Promise.all(containers.map((container) => ignoreNotFound(runtime.stopContainer(container.id, 0))));
      await ignoreNotFound(runtime.stopPodSandbox(id));
      await ignoreNotFound(runtime.removePodSandbox(id));
    }),
  );
}

/** Removes the cgroup tree of a node whose pods are gone. */
export async function removeCgroups(cgroupRoot: string): Promise<void> {
  const version = (await readdir('/sys/fs/cgroup')).includes('cgroup.controllers') ? 2 : 1;
  const cgroups = new PodCgroups(
    { version, enabled: true, exclusiveCPUs: false, root: cgroupRoot, allocatable: { milliCPU: 0, memoryBytes: 0 } },
    systemClock,
  );
  await cgroups.removeAll();
}

/** Unmounts everything at or below `directory` (deepest first), then removes it. */
export async function removeTree(directory: string, exec: Exec): Promise<void> {
  await unmountAll(directory, exec);
  await rm(directory, { recursive: true, force: true });
}
