import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeletContext } from '../context.ts';
import { NODE_LABEL, POD_GRACE_PERIOD, POD_UID_LABEL } from '../labels.ts';
import { removeDeadLinks } from '../logs/log-links.ts';
import { ignoreNotFound } from '../runtime/not-found.ts';

const DEFAULT_GRACE_SECONDS = 30;

/** Ends and removes what belongs to pods that this node no longer has: containers, cgroups, volumes, directories, logs. */
export async function removeOrphans(
  context: KubeletContext,
  isKnown: (uid: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { runtime } = context.deps.cri;
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandbox({}, { signal }),
    runtime.listContainers({}, { signal }),
  ]);
  // Other nodes may use this runtime too. A machine with a new name has directories of pods of the node that it was.
  const uids = new Set<string>();
  for (const { labels } of [...sandboxes, ...containers])
    if (labels[NODE_LABEL] === context.options.nodeName) uids.add(labels[POD_UID_LABEL] ?? '');
  for (const uid of await context.cgroups.list()) uids.add(uid);
  for (const dir of [join(context.options.rootDir, 'pods'), join(context.options.runDir, 'pods')]) {
    for (const uid of await readdir(dir).catch(() => [])) uids.add(uid);
  }
  const orphans = [...uids].filter((uid) => uid !== '' && !isKnown(uid));
  let failed = 0;
  const removals = Promise.all(
    orphans.map(async (uid) => {
      context.deps.logger.info({ podUID: uid }, 'removing a pod that this node no longer has');
      const own = containers.filter(({ labels }) => labels[POD_UID_LABEL] === uid);
      await Promise.all(
        own.map(async ({ id, state, annotations }) => {
          if (state !== 'CONTAINER_EXITED') {
            await ignoreNotFound(
              runtime.stopContainer(id, Number(annotations[POD_GRACE_PERIOD] ?? DEFAULT_GRACE_SECONDS)),
            );
          }
          await ignoreNotFound(runtime.removeContainer(id));
        }),
      );
      for (const { id, labels } of sandboxes) {
        if (labels[POD_UID_LABEL] !== uid) continue;
        await ignoreNotFound(runtime.stopPodSandbox(id));
        await ignoreNotFound(runtime.removePodSandbox(id));
      }
      await context.volumes.tearDown(uid, context.deps.exec).catch((error: unknown) => {
        failed++;
        throw error;
      });
      await context.cgroups.remove(uid);
      await rm(join(context.options.rootDir, 'pods', uid), { recursive: true, force: true });
    }),
  );
  await removals.finally(() => context.metrics.volumes.orphans(orphans.length, failed));
  for (const name of await readdir(context.options.podLogsDir).catch(() => [])) {
    const uid = name.slice(name.lastIndexOf('_') + 1);
    if (orphans.includes(uid)) await rm(join(context.options.podLogsDir, name), { recursive: true, force: true });
  }
  if (context.options.containerLogsDir !== undefined) await removeDeadLinks(context.options.containerLogsDir);
}
