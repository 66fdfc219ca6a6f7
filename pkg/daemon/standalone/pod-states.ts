import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { resources } from '../../api/generated/resources.ts';
import type { Event, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import { type Component, component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Informers } from '../../client/index.ts';

/** What became of one pod, for other processes of this machine. */
export interface PodState {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly ips: readonly string[];
  /** Init containers first. */
  readonly containers: readonly ContainerState[];
  /** Every container is ready, or has done its work. */
  readonly ready: boolean;
  /** It comes from a manifest of the static pods' directory. */
  readonly isStatic: boolean;
  /** Why not; '' when nothing is known to be wrong. */
  readonly reason: string;
}

export interface ContainerState {
  readonly name: string;
  readonly ready: boolean;
  readonly running: boolean;
  /** How often it was started before; its log is named by it. */
  readonly restarts: number;
  /** Ended, and will not start again. */
  readonly ended: boolean;
}

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** `warning`: what the node last warned of about the pod; it says why nothing of it runs yet. */
export function podState(pod: DeepReadonly<Pod>, warning?: string): PodState {
  const { metadata, status = {} } = pod;
  const phase = status.phase ?? 'Pending';
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const waiting = statuses.map(({ state }) => state?.waiting).find((one) => one?.message !== undefined);
  const reason =
    waiting === undefined ? [status.reason, status.message] : [waiting.reason, waiting.message?.split('\n')[0]];
  if (waiting === undefined && status.reason === undefined && phase === 'Pending') reason.push(warning);
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    phase,
    ips: (status.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : [])),
    containers: statuses.map(({ name, ready, restartCount, state }) => ({
      name,
      ready,
      running: state?.running !== undefined,
      restarts: restartCount,
      ended: phase === 'Succeeded' || phase === 'Failed' || (ready && state?.terminated !== undefined),
    })),
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
  const events = informers.for(resources.events, { fieldSelector: 'type=Warning' });
  return component('pod-states', async (signal, ready) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await Promise.all([pods.synced(signal), events.synced(signal)]);
    let isDirty = false;
    let writing: Promise<void> | undefined;
    const write = async (): Promise<void> => {
      while (isDirty) {
        isDirty = false;
        const warnings = lastWarnings(events.lister.list());
        const states = [...pods.lister.list()].map((pod) => podState(pod, warnings.get(pod.metadata.uid)));
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
    const removals = [
      pods.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed }),
      events.addHandler({ onAdd: changed, onUpdate: changed, onDelete: () => {} }),
    ];
    changed();
    ready();
    await aborted(signal);
    for (const remove of removals) remove();
    await writing;
  });
}

/** The first line of the last warning about each object, by its uid. Pure. */
export function lastWarnings(events: Iterable<DeepReadonly<Event>>): Map<string, string> {
  const last = new Map<string, DeepReadonly<Event>>();
  for (const event of events) {
    const { uid = '' } = event.involvedObject;
    if ((last.get(uid)?.lastTimestamp ?? '') <= (event.lastTimestamp ?? '')) last.set(uid, event);
  }
  return new Map([...last].map(([uid, { reason, message }]) => [uid, `${reason}: ${message?.split('\n')[0] ?? ''}`]));
}

/** Undefined: nothing has been written (yet). */
export async function readPodStates(path: string): Promise<PodState[] | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as PodState[]);
}
