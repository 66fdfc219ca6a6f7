import { formatTime } from '../../api/time.ts';
import { newestContainer, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, ContainerKind, ContainerStatus, EphemeralContainer, Pod } from '../types.ts';
import { isSidecar } from '../types.ts';
import type { ContainerHealth } from './plan.ts';
import { restartDecision } from './restart-rules.ts';

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
  const newest = newestContainer(runtime, container.name);
  const hasInit = (pod.spec.initContainers?.length ?? 0) > 0;
  const reason = hasInit && kind !== 'ephemeral' ? 'PodInitializing' : 'ContainerCreating';
  const lost = newest === undefined && before?.state?.running !== undefined;
  let state: ContainerState = newest === undefined ? unseenState(before, reason) : stateOf(input, newest, reason);
  let lastState: ContainerState = lost
    ? { terminated: { ...UNKNOWN_END, message: LOST_WHILE_RUNNING } }
    : (previousState(input, newest) ?? (newest === undefined ? (before?.lastState ?? {}) : {}));
  const wait = input.waiting(container.name);
  const finishedInit = kind === 'init' && newest?.state === 'exited' && newest.exitCode === 0;
  const startsAgain =
    pod.metadata.deletionTimestamp === undefined &&
    (kind === 'ephemeral' ? newest === undefined : restartDecision(pod, container, newest) === 'yes');
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

function previousState(input: ContainerStatusInput, newest: RuntimeContainer | undefined): ContainerState | undefined {
  if (newest === undefined) return undefined;
  const { containers } = input.runtime;
  const previous = containers.find(
    (other) => other.name === newest.name && other.id !== newest.id && other.state === 'exited',
  );
  return previous === undefined ? undefined : { terminated: terminatedState(input, previous) };
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
