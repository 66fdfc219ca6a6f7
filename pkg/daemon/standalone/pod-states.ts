import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import { type Component, component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Informers } from '../../client/index.ts';

/** What became of one pod, for other processes of this machine. */
export interface PodState {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  /** Every container is ready, or has done its work. */
  readonly ready: boolean;
  /** It comes from a manifest of the static pods' directory. */
  readonly isStatic: boolean;
  /** Why not; '' when nothing is known to be wrong. */
  readonly reason: string;
}

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

export function podState(pod: DeepReadonly<Pod>): PodState {
  const { metadata, status = {} } = pod;
  const phase = status.phase ?? 'Pending';
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const waiting = statuses.map(({ state }) => state?.waiting).find((one) => one?.message !== undefined);
  const reason =
    waiting === undefined ? [status.reason, status.message] : [waiting.reason, waiting.message?.split('\n')[0]];
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name ?? '',
    phase,
    isStatic: metadata.annotations?.[MIRROR_ANNOTATION] !== undefined,
    ready:
      phase === 'Succeeded' ||
      status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
    reason: reason.filter(Boolean).join(': '),
  };
}

/** Keeps the states of all pods in a file while this runs. */
export function podStatesFile(path: string, informers: Informers, logger: Logger): Component {
  const pods = informers.for(resources.pods);
  return component('pod-states', async (signal, ready) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await pods.synced(signal);
    let isDirty = false;
    let writing: Promise<void> | undefined;
    const write = async (): Promise<void> => {
      while (isDirty) {
        isDirty = false;
        const states = [...pods.lister.list()].map(podState);
        await writeFile(`${path}.new`, JSON.stringify(states));
        await rename(`${path}.new`, path);
      }
    };
    const changed = (): void => {
      isDirty = true;
      writing ??= write()
        .catch((error: unknown) => logger.warn({ err: error }, 'the states of the pods could not be written'))
        .finally(() => {
          writing = undefined;
        });
    };
    const remove = pods.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    changed();
    ready();
    await aborted(signal);
    remove();
    await writing;
  });
}

/** Undefined: nothing has been written (yet). */
export async function readPodStates(path: string): Promise<PodState[] | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as PodState[]);
}
