import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '../../api/time.ts';
import type { KubeletContext } from '../context.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { containerPath, RequestError, wholeNumber } from './requests.ts';

/**
 * Has the runtime write the state of a running container into an archive below the kubelet's directory: POST
 * `/checkpoint/NAMESPACE/POD/CONTAINER?timeout=SECONDS`. Returns where the archive is. Throws RequestError, also for a runtime that
 * cannot do it.
 */
export async function checkpoint(
  parts: readonly string[],
  query: URLSearchParams,
  pods: PodManager,
  { deps, options }: KubeletContext,
): Promise<{ readonly items: readonly string[] }> {
  const { namespace, pod, container } = containerPath(parts);
  const worker = pods.find(namespace, pod);
  if (worker === undefined) throw new RequestError(404, 'pod does not exist');
  const run = worker.runtime.containers.find(({ name, state }) => name === container && state === 'running');
  if (run === undefined) throw new RequestError(404, `container ${container} does not exist`);
  const timeoutSeconds = wholeNumber(query, 'timeout') ?? 0;
  const directory = join(options.rootDir, 'checkpoints');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const stamp = formatTime(deps.clock.now());
  const location = join(directory, `checkpoint-${pod}_${namespace}-${container}-${stamp}.tar`);
  try {
    await deps.cri.runtime.checkpointContainer(run.id, location, timeoutSeconds);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new RequestError(500, `checkpointing of ${namespace}/${pod}/${container} failed (${text})`);
  }
  return { items: [location] };
}
