import { watch } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type LogOptions, readLogs } from '../../kubelet/index.ts';
import { type ContainerState, type PodState, readPodStates } from './pod-states.ts';

export interface ProjectLogsOptions extends Pick<LogOptions, 'follow' | 'tailLines' | 'timestamps'> {
  /** `DIR/NAMESPACE_NAME_UID/CONTAINER/N.log`. */
  readonly podLogDir: string;
  readonly podStatesFile: string;
}

/** A container whose log is shown. */
export interface LogTarget {
  readonly pod: PodState;
  readonly container: string;
}

/** The containers that are meant: of these pods (all when none is named), and of these only that one. Pure. */
export function logTargets(
  states: readonly PodState[],
  pods: readonly string[],
  container: string | undefined,
): LogTarget[] {
  return states
    .filter(({ name }) => pods.length === 0 || pods.includes(name))
    .flatMap((pod) => pod.containers.map(({ name }) => ({ pod, container: name })))
    .filter(({ container: name }) => container === undefined || name === container)
    .sort((a, b) => `${a.pod.name} ${a.container}`.localeCompare(`${b.pod.name} ${b.container}`));
}

/** The log of a container from its last run on; `follow`: and of the runs after it, as long as the pod is there. */
export async function* containerLog(
  { pod, container }: LogTarget,
  options: ProjectLogsOptions,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const states = new StateWatch(options.podStatesFile, pod.uid, container);
  let tailLines = options.tailLines;
  let state = await states.read();
  while (state !== undefined && !signal.aborted) {
    const { restarts } = state;
    const path = join(options.podLogDir, `${pod.namespace}_${pod.name}_${pod.uid}`, container, `${restarts}.log`);
    const isThis = (current: ContainerState | undefined): boolean => current?.restarts === restarts && current.running;
    const isThere = await exists(path);
    if (isThere) {
      const source = {
        path,
        running: () => isThis(states.last),
        ended: (own: AbortSignal) => states.until((current) => !isThis(current), own),
      };
      yield* readLogs(source, { ...options, ...(tailLines === undefined ? {} : { tailLines }) }, signal);
      tailLines = undefined;
    }
    if (options.follow !== true) return;
    const goesOn = (current: ContainerState): boolean => current.restarts > restarts || (!isThere && current.running);
    await states.until((current) => current === undefined || current.ended || goesOn(current), signal);
    if (states.last !== undefined && !goesOn(states.last)) return;
    state = states.last;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What the agent says of one container. */
class StateWatch {
  readonly #file: string;
  readonly #uid: string;
  readonly #container: string;
  last: ContainerState | undefined;

  constructor(file: string, uid: string, container: string) {
    this.#file = file;
    this.#uid = uid;
    this.#container = container;
  }

  async read(): Promise<ContainerState | undefined> {
    const pod = (await readPodStates(this.#file))?.find(({ uid }) => uid === this.#uid);
    this.last = pod?.containers.find(({ name }) => name === this.#container);
    return this.last;
  }

  /** Resolves when what is said meets the condition, or `signal` aborts. */
  async until(condition: (state: ContainerState | undefined) => boolean, signal: AbortSignal): Promise<void> {
    let changed = (): void => {};
    const watcher = watch(dirname(this.#file), (_, name) => {
      if (name === null || name === basename(this.#file)) changed();
    });
    const abort = (): void => changed();
    signal.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        const next = new Promise<void>((resolve) => {
          changed = resolve;
        });
        if (condition(await this.read()) || signal.aborted) return;
        await next;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      watcher.close();
    }
  }
}
