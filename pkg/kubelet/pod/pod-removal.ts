import { rm } from 'node:fs/promises';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { KubeletContext } from '../context.ts';
import { logLink } from '../logs/log-links.ts';
import { removeLogs } from '../logs/rotate.ts';
import { ignoreNotFound } from '../runtime/not-found.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';
import { removePodDirectories } from './pod-directories.ts';

/** Takes a deleted pod that has ended out of the API. */
export async function deleteFromAPI({ metadata }: Pod, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = metadata;
  try {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await context.deps.client.delete(resources.pods, { namespace, name }, options, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}

/** Removes what is left of an ended pod: containers, sandboxes, logs, directories. */
export async function removeFromNode(pod: Pod, runtime: PodRuntime, context: KubeletContext): Promise<void> {
  await removeEnded(pod, runtime, context);
  context.reader.forget(runtime);
  await removePodDirectories(pod, context);
}

/** Removes what the runtime still has of a pod that has ended, and the logs. */
export async function removeEnded(pod: Pod, runtime: PodRuntime, context: KubeletContext): Promise<void> {
  await removeContainers(pod, runtime, context);
  for (const { logPath } of runtime.containers) await removeLogs(logPath);
  for (const { id } of runtime.sandboxes) await ignoreNotFound(context.deps.cri.runtime.removePodSandbox(id));
}

/** Removes the containers of a pod that has ended, with what they wrote. */
export async function removeContainers(pod: Pod, runtime: PodRuntime, context: KubeletContext): Promise<void> {
  for (const container of runtime.containers) await removeContainer(pod, container, context);
}

export async function removeContainer(
  { metadata }: Pod,
  { id, name }: RuntimeContainer,
  { deps, options }: KubeletContext,
): Promise<void> {
  await ignoreNotFound(deps.cri.runtime.removeContainer(id));
  if (options.containerLogsDir !== undefined) {
    await rm(logLink(options.containerLogsDir, { pod: metadata, name, id }), { force: true });
  }
}
