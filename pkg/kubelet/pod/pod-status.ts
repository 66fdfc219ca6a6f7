import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { formatTime } from '../../api/time.ts';
import { isStaticPod } from '../labels.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../types.ts';
import { isSidecar } from '../types.ts';
import { type ContainerStatusInput, containerStatuses, endedInitStatuses, endedStatuses } from './container-status.ts';
import { canRestartAll, restartAllProgress, restartsAfter } from './restart-rules.ts';
import { podAmounts } from './status-amounts.ts';

export interface PodStatusInput extends ContainerStatusInput {
  readonly nowMs: number;
  /** Addresses of the node, the preferred family first. */
  readonly hostIPs: readonly string[];
  /** The containers have ended for good: a final phase may be reported. */
  readonly finished: boolean;
  /** Set when the kubelet itself decided that the pod failed (admission, deadline, eviction). */
  readonly failure?: PodFailure;
  /** Conditions of a resize that waits or is under way. */
  readonly resize?: readonly Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>[];
}

/** The kubelet itself ends a pod, or does not take it. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  /** What the containers get at the most; absent: the pod's own grace period. */
  readonly graceSeconds?: number;
  /** Nothing but the status tells of it. */
  readonly withoutEvent?: boolean;
  /** Of the event. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Told beside the kubelet's own conditions. */
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The conditions that the kubelet owns; all others belong to other writers and are kept. */
export const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

/** Conditions that the kubelet adds where nobody else has. */
export const SHARED_CONDITIONS: ReadonlySet<string> = new Set(['DisruptionTarget']);

/** The status of a pod that the node does not take: nothing of it was made, or is told of. */
export function rejectedStatus({ metadata, spec, status = {} }: Pod, failure: PodFailure, nowMs: number): PodStatus {
  const conditions = status.conditions?.filter(({ type }) => !OWN_CONDITIONS.has(type)) ?? [];
  return {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    phase: 'Failed',
    reason: failure.reason,
    message: `Pod was rejected: ${failure.message}`,
    ...(conditions.length === 0 ? {} : { conditions }),
    qosClass: status.qosClass ?? podQOS(spec as ApiPodSpec),
    startTime: status.startTime ?? formatTime(nowMs),
  };
}

/** The whole status of a pod from what the runtime has (upstream's generateAPIPodStatus). Pure. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, nowMs, failure } = input;
  const old: PodStatus = pod.status ?? {};
  const init = containerStatuses(input, 'init');
  const app = containerStatuses(input, 'app');
  const ephemeral = containerStatuses(input, 'ephemeral');
  const progress = input.finished ? undefined : restartAllProgress(pod, runtime);
  const computed: Phase =
    failure !== undefined ? 'Failed' : progress !== undefined ? 'Running' : podPhase(pod, init, app, input.finished);
  const terminal = computed === 'Failed' || computed === 'Succeeded';
  const held = terminal && !input.finished ? ((old.phase as Phase | undefined) ?? 'Pending') : computed;
  // Conditions tell what was found, before all of it is taken to have failed.
  const phase = input.finished && !terminal && !isStaticPod(pod) ? 'Failed' : held;
  const sandbox = runtime.sandboxes[0];
  const podIPs =
    pod.spec.hostNetwork === true ? input.hostIPs : (runtime.sandboxes.find((one) => one.ips.length > 0)?.ips ?? []);
  const conditions = podConditions(pod, {
    phase: computed,
    init,
    app,
    sandboxReady: sandbox?.ready === true && podIPs.length > 0,
  });
  if (canRestartAll(pod)) conditions.push(restartAllCondition(computed, progress === 'ending'));
  const first = [...(input.resize ?? []), ...(failure?.condition === undefined ? [] : [failure.condition])];
  const messageBytes = messageRoom(pod);
  const told = (statuses: readonly ContainerStatus[]): ContainerStatus[] =>
    statuses.map((status) => shortened(status, messageBytes));
  return {
    ...old,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    ...(failure !== undefined && input.finished ? { reason: failure.reason, message: failure.message } : {}),
    conditions: timed([...first, ...conditions], old.conditions ?? [], pod.metadata.generation, nowMs),
    ...(input.hostIPs[0] === undefined
      ? {}
      : { hostIP: input.hostIPs[0], hostIPs: input.hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: old.startTime ?? formatTime(nowMs),
    ...(init.length === 0 ? {} : { initContainerStatuses: told(input.finished ? endedInitStatuses(init) : init) }),
    containerStatuses: told(input.finished && wasInitialized(pod) ? endedStatuses(app) : app),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: told(ephemeral) }),
    ...podAmounts(pod, held === 'Running'),
    qosClass: old.qosClass ?? podQOS(pod.spec as ApiPodSpec),
  };
}

function restartAllCondition(phase: Phase, isEnding: boolean): NewCondition {
  const type = 'AllContainersRestarting';
  if (phase === 'Succeeded' || phase === 'Failed') return no(type, phase === 'Failed' ? 'PodFailed' : 'PodCompleted');
  if (!isEnding) return no(type);
  return { ...yes(type), reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' };
}

/** How many bytes of termination messages a pod's containers share. */
const MAX_MESSAGES_BYTES = 12 * 1024;

function messageRoom({ spec }: Pod): number {
  const { containers, initContainers = [], ephemeralContainers = [] } = spec;
  return Math.floor(MAX_MESSAGES_BYTES / (containers.length + initContainers.length + ephemeralContainers.length));
}

function shortened(status: ContainerStatus, maxBytes: number): ContainerStatus {
  const cut = (state: ContainerStatus['state']): ContainerStatus['state'] => {
    const { message = '', ...rest } = state?.terminated ?? { exitCode: 0 };
    if (Buffer.byteLength(message) <= maxBytes) return state;
    return { terminated: { ...rest, message: Buffer.from(message).subarray(0, maxBytes).toString() } };
  };
  return { ...status, state: cut(status.state), lastState: cut(status.lastState) };
}

/** By what was told of it before: whether the app containers were to run, as they did, or no init container was left. */
function wasInitialized({ spec, status }: Pod): boolean {
  const last = spec.initContainers?.at(-1);
  if (last === undefined) return true;
  const { containerStatuses: app = [], initContainerStatuses: init = [] } = status ?? {};
  if (app.some(({ state, lastState }) => state?.waiting === undefined || lastState?.terminated !== undefined))
    return true;
  const { state, lastState, started } = init.find(({ name }) => name === last.name) ?? {};
  if (isSidecar(last)) return state?.running !== undefined && started === true;
  return state?.terminated?.exitCode === 0 || lastState?.terminated?.exitCode === 0;
}

/** Upstream's getPhase. `ended`: the kubelet has stopped the pod, so nothing restarts. */
export function podPhase(
  pod: Pod,
  init: readonly ContainerStatus[],
  app: readonly ContainerStatus[],
  ended: boolean,
): Phase {
  let pendingInit = 0;
  let failedInit = 0;
  let endedInit = false;
  for (const [index, container] of (pod.spec.initContainers ?? []).entries()) {
    const status = init[index];
    const last = status?.lastState?.terminated;
    if (isSidecar(container)) {
      if (
        status?.state?.running !== undefined
          ? status.started !== true
          : last === undefined && status?.state?.terminated === undefined
      ) {
        pendingInit++;
      }
    } else if (status?.state?.terminated !== undefined) {
      const { exitCode } = status.state.terminated;
      if (exitCode === 0) continue;
      failedInit++;
      if (!restartsAfter(pod, container, exitCode)) endedInit = true;
    } else if (status?.state?.waiting !== undefined && last !== undefined && last.exitCode !== 0) {
      failedInit++;
      if (!restartsAfter(pod, container, last.exitCode)) endedInit = true;
    } else pendingInit++;
  }
  if (endedInit) return 'Failed';
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  let restarting = 0;
  for (const { name, state, lastState } of app) {
    const container = pod.spec.containers.find((one) => one.name === name);
    const end = state?.terminated ?? (state?.running === undefined ? lastState?.terminated : undefined);
    if (state?.running !== undefined) running++;
    else if (end !== undefined && container !== undefined) {
      stopped++;
      if (state?.terminated?.exitCode === 0) succeeded++;
      if (restartsAfter(pod, container, end.exitCode)) restarting++;
    } else waiting++;
  }
  if (ended && !isStaticPod(pod) && stopped > 0 && running === 0 && waiting === 0)
    return succeeded === stopped ? 'Succeeded' : 'Failed';
  if (pendingInit > 0 || failedInit > 0 || waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  if (restarting > 0) return 'Running';
  return stopped === succeeded ? 'Succeeded' : 'Failed';
}

interface ConditionInput {
  readonly phase: Phase;
  readonly init: readonly ContainerStatus[];
  readonly app: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
}

type NewCondition = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

const yes = (type: string): NewCondition => ({ type, status: 'True' });
const no = (type: string, reason?: string, message?: string): NewCondition => ({
  type,
  status: 'False',
  reason,
  message,
});

function podConditions(pod: Pod, input: ConditionInput): NewCondition[] {
  const containersReady = containersReadyCondition(pod, input);
  return [
    input.sandboxReady ? yes('PodReadyToStartContainers') : no('PodReadyToStartContainers'),
    initializedCondition(pod, input),
    readyCondition(pod, containersReady),
    containersReady,
    yes('PodScheduled'),
  ];
}

function initializedCondition(pod: Pod, { phase, init, app }: ConditionInput): NewCondition {
  if (phase === 'Succeeded') return { ...yes('Initialized'), reason: 'PodCompleted' };
  const containers = pod.spec.initContainers ?? [];
  const appStarted = app.some((status) => status.containerID !== undefined);
  const incomplete = containers.filter((container, index) => {
    const status = init[index];
    if (isSidecar(container)) return status?.started !== true && !appStarted;
    return status?.ready !== true;
  });
  if (incomplete.length === 0) return yes('Initialized');
  return no('Initialized', 'ContainersNotInitialized', `containers with incomplete status: [${names(incomplete)}]`);
}

function containersReadyCondition(pod: Pod, { phase, init, app }: ConditionInput): NewCondition {
  if (phase === 'Succeeded') return no('ContainersReady', 'PodCompleted');
  if (phase === 'Failed') return no('ContainersReady', 'PodFailed');
  const known = new Map([...init, ...app].map((status) => [status.name, status]));
  const containers = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const unready = containers.filter(({ name }) => known.get(name)?.ready !== true);
  if (unready.length === 0) return yes('ContainersReady');
  return no('ContainersReady', 'ContainersNotReady', `containers with unready status: [${names(unready)}]`);
}

function readyCondition(pod: Pod, containersReady: NewCondition): NewCondition {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' };
  const messages: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const found = pod.status?.conditions?.find((condition) => condition.type === conditionType);
    if (found === undefined)
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (found.status !== 'True') {
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`);
    }
  }
  return messages.length === 0 ? yes('Ready') : no('Ready', 'ReadinessGatesNotReady', messages.join(', '));
}

function names(list: readonly { readonly name: string }[]): string {
  return list.map((one) => one.name).join(' ');
}

/** Foreign conditions first, then ours; a transition time changes only with the status. */
function timed(
  conditions: readonly NewCondition[],
  old: readonly PodCondition[],
  generation: number | undefined,
  nowMs: number,
): PodCondition[] {
  const own = conditions.map((condition): PodCondition => {
    const before = old.find((other) => other.type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : formatTime(nowMs);
    return {
      type: condition.type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status: condition.status,
      lastProbeTime: null as unknown as string,
      lastTransitionTime: lastTransitionTime ?? formatTime(nowMs),
      ...(condition.reason === undefined ? {} : { reason: condition.reason }),
      ...(condition.message === undefined ? {} : { message: condition.message }),
    };
  });
  const types = new Set(own.map((condition) => condition.type));
  return [...old.filter(({ type }) => !OWN_CONDITIONS.has(type) && !types.has(type)), ...own];
}
