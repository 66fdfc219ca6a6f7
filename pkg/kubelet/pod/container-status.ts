import { formatTime } from '../../api/time.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, ContainerKind, ContainerStatus, EphemeralContainer, Pod } from '../types.ts';
import { isSidecar } from '../types.ts';
import type { ContainerHealth } from './plan.ts';
import { restartDecision, restartOfAll } from './restart-rules.ts';

/** Why a container was not started: `ErrImagePull`, `CrashLoopBackOff`, ... with the text that users see. */
export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  readonly runtimeName: string;
  /** Of the last try to start a container, by container name. */
  readonly waiting: (name: string) => WaitingReason | undefined;
  readonly health: (containerID: string) => ContainerHealth & { readonly ready: boolean };
  readonly terminationMessage: (container: RuntimeContainer) => string;
  readonly recursiveReadOnlyMounts?: boolean;
}

type ContainerState = NonNullable<ContainerStatus['state']>;

const LOST_WHILE_RUNNING =
  'The container could not be located when the pod was deleted.  The container used to be Running';
const UNKNOWN_END = {
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  exitCode: 137,
};

/** What is said of the runs that a restart of all containers has taken away. */
const RESTARTING_ALL = {
  reason: 'RestartingAllContainers',
  message: 'The container is removed because RestartAllContainers in place',
};

/** API statuses of the containers of one kind: of init containers in spec order, of all others by name. */
export function containerStatuses(input: ContainerStatusInput, kind: ContainerKind): ContainerStatus[] {
  const { pod } = input;
  const lists = { init: pod.spec.initContainers, app: pod.spec.containers, ephemeral: pod.spec.ephemeralContainers };
  const old = {
    init: pod.status?.initContainerStatuses,
    app: pod.status?.containerStatuses,
    ephemeral: pod.status?.ephemeralContainerStatuses,
  };
  const statuses = (lists[kind] ?? []).map((container) => {
    const before = old[kind]?.find((status) => status.name === container.name);
    return containerStatus(input, kind, container, before);
  });
  return kind === 'init' ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function containerStatus(
  input: ContainerStatusInput,
  kind: ContainerKind,
  container: Container | EphemeralContainer,
  before: ContainerStatus | undefined,
): ContainerStatus {
  const { pod, runtime } = input;
  const outdated = new Set(restartOfAll(pod, runtime));
  const endsAll = [...outdated].every(({ state }) => state !== 'running');
  const runs = runtime.containers.filter((one) => one.name === container.name && !(endsAll && outdated.has(one)));
  const newest = runs[0];
  const removed = endsAll ? [...outdated].find(({ name }) => name === container.name) : undefined;
  if (newest === undefined && removed !== undefined) return removedStatus(input, container, removed);
  const hasInit = (pod.spec.initContainers?.length ?? 0) > 0;
  const reason = hasInit && kind !== 'ephemeral' ? 'PodInitializing' : 'ContainerCreating';
  const lost = newest === undefined && before?.state?.running !== undefined;
  let state: ContainerState = newest === undefined ? unseenState(before, reason) : stateOf(input, newest, reason);
  let lastState: ContainerState = lost
    ? { terminated: { ...UNKNOWN_END, message: LOST_WHILE_RUNNING } }
    : (previousState(input, runs) ?? rememberedState(input, newest, before));
  const wait = input.waiting(container.name);
  const finishedInit = kind === 'init' && newest?.state === 'exited' && newest.exitCode === 0;
  const startsAgain = pod.metadata.deletionTimestamp === undefined && restartDecision(pod, container, newest) === 'yes';
  if (wait !== undefined && !(finishedInit && !isSidecar(container)) && startsAgain && newest?.state !== 'running') {
    if (state.terminated !== undefined) lastState = state;
    state = { waiting: { reason: wait.reason, ...(wait.message === '' ? {} : { message: wait.message }) } };
  }
  const running = newest?.state === 'running';
  const health = running ? input.health(newest.id) : undefined;
  // Plain init containers are ready when they are done, ephemeral ones never.
  const plainInit = kind === 'init' && !isSidecar(container);
  const ready = plainInit ? finishedInit : kind !== 'ephemeral' && (health?.ready ?? false);
  return {
    name: container.name,
    state,
    lastState,
    ready,
    // What is lost runs again, unless the pod goes.
    restartCount:
      newest?.restartCount ??
      (before?.restartCount ?? 0) + (lost && pod.metadata.deletionTimestamp === undefined ? 1 : 0),
    image: newest?.image ?? container.image ?? '',
    imageID: newest?.imageID ?? '',
    ...(newest === undefined ? {} : { containerID: `${input.runtimeName}://${newest.id}` }),
    ...(kind === 'ephemeral' ? {} : { started: health?.started ?? false }),
    ...resourceStatus(container, newest, before),
    ...(newest?.user === undefined ? {} : { user: { linux: newest.user } }),
    ...mountStatus(container, input.recursiveReadOnlyMounts === true),
  };
}

function stateOf(input: ContainerStatusInput, container: RuntimeContainer, waitingReason: string): ContainerState {
  switch (container.state) {
    case 'running':
      return { running: { startedAt: formatTime(container.startedAtMs) } };
    case 'exited':
      return { terminated: terminatedState(input, container) };
    case 'created':
      return { waiting: { reason: waitingReason } };
    case 'unknown':
      return { terminated: UNKNOWN_END };
  }
}

function terminatedState(input: ContainerStatusInput, container: RuntimeContainer): ContainerState['terminated'] {
  const message = input.terminationMessage(container);
  return {
    exitCode: container.exitCode,
    reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === '' ? {} : { message }),
    startedAt: formatTime(container.startedAtMs),
    finishedAt: formatTime(container.finishedAtMs),
    containerID: `${input.runtimeName}://${container.id}`,
  };
}

/** `runs` of one container, the newest first. */
function previousState(
  input: ContainerStatusInput,
  [newest, ...older]: readonly RuntimeContainer[],
): ContainerState | undefined {
  if (newest === undefined) return undefined;
  const previous = older.find(({ state }) => state === 'exited');
  return previous === undefined ? undefined : { terminated: terminatedState(input, previous) };
}

/** The end before this run, of which the runtime has nothing more; of a pod that goes only what the runtime has is told. */
function rememberedState(
  { runtimeName, pod }: ContainerStatusInput,
  newest: RuntimeContainer | undefined,
  before: ContainerStatus | undefined,
): ContainerState {
  if (pod.metadata.deletionTimestamp !== undefined) return {};
  const { state, lastState = {}, containerID } = before ?? {};
  const isSame = newest === undefined || containerID === `${runtimeName}://${newest.id}`;
  return !isSame && state?.terminated !== undefined ? { terminated: state.terminated } : lastState;
}

/** Of a container whose run ended with all others of its pod, to start again. */
function removedStatus(
  { recursiveReadOnlyMounts }: ContainerStatusInput,
  container: Container | EphemeralContainer,
  { restartCount }: RuntimeContainer,
): ContainerStatus {
  return {
    name: container.name,
    state: { waiting: RESTARTING_ALL },
    lastState: { terminated: { ...RESTARTING_ALL, exitCode: 137 } },
    ready: false,
    restartCount: restartCount + 1,
    image: container.image ?? '',
    imageID: '',
    started: false,
    ...mountStatus(container, recursiveReadOnlyMounts === true),
  };
}

/** The runtime has nothing of the container: it ended before, or is still to come. */
function unseenState(before: ContainerStatus | undefined, reason: string): ContainerState {
  const { terminated } = before?.state ?? {};
  return terminated === undefined ? { waiting: { reason } } : { terminated };
}

/** The statuses of a pod that has ended for good: nothing waits any more, and whatever is not known to have ended has failed. */
export function endedStatuses(statuses: readonly ContainerStatus[]): ContainerStatus[] {
  return statuses.map((status) =>
    status.state?.terminated === undefined ? { ...status, state: { terminated: UNKNOWN_END } } : status,
  );
}

/** The same for init containers: those after the last one that is known to have started wait for ever. */
export function endedInitStatuses(statuses: readonly ContainerStatus[]): ContainerStatus[] {
  const last = statuses.findLastIndex(
    ({ state, lastState }) => state?.waiting === undefined || lastState?.terminated !== undefined,
  );
  const begun = Math.max(last, 0) + 1;
  return [...endedStatuses(statuses.slice(0, begun)), ...statuses.slice(begun)];
}

/** What the container was given: told once the runtime has it, even when it is nothing. */
function resourceStatus(
  { resources = {} }: Container | EphemeralContainer,
  newest: RuntimeContainer | undefined,
  before: ContainerStatus | undefined,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  if (newest === undefined) {
    // An end that is only remembered is remembered whole.
    if (before?.state?.terminated === undefined) return {};
    const { resources: told, allocatedResources } = before;
    return {
      ...(allocatedResources === undefined ? {} : { allocatedResources }),
      ...(told === undefined ? {} : { resources: told }),
    };
  }
  const { requests, limits } = resources;
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) },
  };
}

function mountStatus(
  container: Container | EphemeralContainer,
  canBeRecursive: boolean,
): Pick<ContainerStatus, 'volumeMounts'> {
  const mounts = container.volumeMounts ?? [];
  if (mounts.length === 0) return {};
  return {
    volumeMounts: mounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly === true
        ? {
            readOnly: true,
            recursiveReadOnly:
              canBeRecursive && (mount.recursiveReadOnly ?? 'Disabled') !== 'Disabled' ? 'Enabled' : 'Disabled',
          }
        : {}),
    })),
  };
}
