import { containerHash } from '../labels.ts';
import { newestContainer, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod, SpecContainer } from '../types.ts';
import { isSidecar, specContainers } from '../types.ts';
import { restartDecision, restartOfAll } from './restart-rules.ts';

/** What is known of a running container's health. Absent: no such probe, or no result yet. */
export interface ContainerHealth {
  readonly livenessFailed?: boolean;
  readonly startupFailed?: boolean;
  /** False while a startup probe has not succeeded. */
  readonly started: boolean;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  readonly health: (containerID: string) => ContainerHealth;
  /** Whether a running container gets the amounts that the pod has been given only when it starts again. Absent: never. */
  readonly resizedByRestart?: (container: RuntimeContainer, spec: Container) => boolean;
}

export interface StartAction extends SpecContainer {
  readonly restartCount: number;
  /**
   * The last run that had ended when this was decided: what back-off counts from. One that is only killed to make room does not
   * count yet, as with upstream.
   */
  readonly ended: RuntimeContainer | undefined;
}

export interface KillAction {
  readonly container: RuntimeContainer;
  /** What the Killing event says. */
  readonly message: string;
  readonly reason: 'LivenessProbe' | 'StartupProbe' | 'SpecChanged' | 'Resize' | 'RestartAll' | 'Unknown';
}

/** What to do to bring the runtime to the pod's spec; `kill` comes before `start`. */
export interface PodPlan {
  /** Nothing is left to run: stop all containers and the sandbox (then `start` is empty). */
  readonly killPod: boolean;
  /** Set when a new sandbox is needed; whatever runs in older ones is stopped first. */
  readonly createSandbox: { readonly attempt: number } | undefined;
  readonly kill: readonly KillAction[];
  readonly start: readonly StartAction[];
}

/** `runtime` without the runs before a restart of all containers, which `known` still has. */
interface PlannedPod extends PlanInput {
  readonly known: PodRuntime;
}

/** The level-based decision of upstream's computePodActions. Pure. */
export function planPod(given: PlanInput): PodPlan {
  const { pod } = given;
  const sandbox = given.runtime.sandboxes[0];
  if (sandbox?.ready !== true) return planNewSandbox(given);
  const outdated = restartOfAll(pod, given.runtime);
  const left = outdated.filter(({ state }) => state === 'running').map(restartAllKill);
  if (left.length > 0) return { killPod: false, createSandbox: undefined, kill: left, start: [] };
  const gone = new Set(outdated);
  const runtime = {
    ...given.runtime,
    containers: given.runtime.containers.filter((container) => !gone.has(container)),
  };
  const input: PlannedPod = { ...given, runtime, known: given.runtime };
  const kill: KillAction[] = [];
  const start: StartAction[] = [];
  const specs = specContainers(pod.spec);
  for (const spec of specs) {
    if (spec.kind === 'ephemeral' && newestContainer(runtime, spec.container.name) === undefined) {
      start.push(newStart(spec, runtime, undefined));
    }
  }
  const init = planInit(input, sandbox.id, kill, start);
  if (init === 'failed') return { killPod: true, createSandbox: undefined, kill: [], start: [] };
  if (init === 'waiting') return { killPod: false, createSandbox: undefined, kill, start };
  let kept = 0;
  const appStarts: StartAction[] = [];
  for (const spec of specs) {
    if (spec.kind !== 'app') continue;
    if (planContainer(input, spec, kill, appStarts)) kept++;
  }
  if (kept === 0 && appStarts.length === 0) return { killPod: true, createSandbox: undefined, kill: [], start: [] };
  start.push(...appStarts);
  return { killPod: false, createSandbox: undefined, kill, start };
}

function planNewSandbox({ pod, runtime }: PlanInput): PodPlan {
  const nothing = { killPod: true, createSandbox: undefined, kill: [], start: [] };
  const attempt = (runtime.sandboxes[0]?.attempt ?? -1) + 1;
  const { restartPolicy } = pod.spec;
  if (restartPolicy === 'Never' && attempt > 0 && runtime.containers.length > 0) return nothing;
  const specs = specContainers(pod.spec);
  const apps = specs.filter(
    ({ kind, container }) => kind === 'app' && !(restartPolicy === 'OnFailure' && succeeded(runtime, container.name)),
  );
  if (apps.length === 0) return nothing;
  const first = specs[0]?.kind === 'init' ? [specs[0]] : apps;
  const start = first.map((spec) => newStart(spec, runtime, newestContainer(runtime, spec.container.name)));
  return { killPod: false, createSandbox: { attempt }, kill: [], start };
}

/**
 * Init containers run one after the other; sidecars among them must have started before the next one. Once an app container
 * has been created only the sidecars are looked after.
 */
function planInit(
  input: PlannedPod,
  sandboxID: string,
  kill: KillAction[],
  start: StartAction[],
): 'done' | 'waiting' | 'failed' {
  const { pod, runtime, known, health } = input;
  const initialized = appContainerCreated(pod, runtime, sandboxID);
  for (const spec of specContainers(pod.spec)) {
    if (spec.kind !== 'init') continue;
    const { container } = spec;
    const current = runtime.containers.find(
      (candidate) => candidate.name === container.name && candidate.sandboxID === sandboxID,
    );
    if (isSidecar(container)) {
      const running = planContainer(input, spec, kill, start, sandboxID);
      if (initialized) continue;
      if (!running || current === undefined || !health(current.id).started) return 'waiting';
      continue;
    }
    if (initialized || (current?.state === 'exited' && current.exitCode === 0)) continue;
    if (current === undefined) {
      start.push(newStart(spec, known, newestContainer(known, container.name)));
      return 'waiting';
    }
    if (current.state === 'running') {
      if (health(current.id).livenessFailed === true || health(current.id).startupFailed === true) {
        planContainer(input, spec, kill, start, sandboxID);
      }
      return 'waiting';
    }
    if (restartDecision(pod, container, current) === 'no') return 'failed';
    if (current.state === 'unknown') kill.push(unknownKill(spec, current));
    start.push(newStart(spec, runtime, current));
    return 'waiting';
  }
  return 'done';
}

/** Plans one long-running container; true when it runs and goes on running. */
function planContainer(
  { pod, runtime, known, health, resizedByRestart }: PlannedPod,
  spec: SpecContainer,
  kill: KillAction[],
  start: StartAction[],
  sandboxID?: string,
): boolean {
  const { container } = spec;
  const newest = newestContainer(runtime, container.name);
  const current = sandboxID !== undefined && newest?.sandboxID !== sandboxID ? undefined : newest;
  if (current === undefined) {
    start.push(newStart(spec, known, newestContainer(known, container.name)));
    return false;
  }
  if (current.state !== 'running') {
    if (restartDecision(pod, container, current) === 'no') return false;
    if (current.state === 'unknown') kill.push(unknownKill(spec, current));
    start.push(newStart(spec, runtime, current));
    return false;
  }
  const { livenessFailed, startupFailed } = health(current.id);
  const restarts = (container.restartPolicy ?? pod.spec.restartPolicy) !== 'Never';
  const why = unhealthy(spec, current, livenessFailed === true, startupFailed === true);
  if (why === undefined) {
    if (resizedByRestart?.(current, container as Container) !== true) return true;
    kill.push({
      container: current,
      reason: 'Resize',
      message: `Container ${container.name} resize requires restart`,
    });
    start.push(newStart(spec, runtime, current));
    return false;
  }
  const restart = why.reason === 'SpecChanged' || restarts;
  kill.push({
    container: current,
    reason: why.reason,
    message: restart && spec.kind !== 'init' ? `${why.message}, will be restarted` : why.message,
  });
  if (restart) start.push(newStart(spec, runtime, current));
  return false;
}

function unhealthy(
  { container, kind }: SpecContainer,
  current: RuntimeContainer,
  livenessFailed: boolean,
  startupFailed: boolean,
): { reason: KillAction['reason']; message: string } | undefined {
  const what = `${kind === 'init' ? 'Init container' : 'Container'} ${container.name}`;
  if (current.hash !== '' && current.hash !== containerHash(container)) {
    return { reason: 'SpecChanged', message: `${what} definition changed` };
  }
  if (livenessFailed) return { reason: 'LivenessProbe', message: `${what} failed liveness probe` };
  if (startupFailed) return { reason: 'StartupProbe', message: `${what} failed startup probe` };
  return undefined;
}

function appContainerCreated(pod: Pod, runtime: PodRuntime, sandboxID: string): boolean {
  const names = new Set(pod.spec.containers.map((container) => container.name));
  return runtime.containers.some((container) => container.sandboxID === sandboxID && names.has(container.name));
}

function succeeded(runtime: PodRuntime, name: string): boolean {
  const status = newestContainer(runtime, name);
  return status?.state === 'exited' && status.exitCode === 0;
}

/** `newest`: its last run, whatever became of it. */
function newStart(spec: SpecContainer, runtime: PodRuntime, newest: RuntimeContainer | undefined): StartAction {
  const ended = runtime.containers.find(({ name, state }) => name === spec.container.name && state === 'exited');
  return { ...spec, ended, restartCount: newest === undefined ? 0 : newest.restartCount + 1 };
}

function restartAllKill(container: RuntimeContainer): KillAction {
  return { container, message: 'killing', reason: 'RestartAll' };
}

function unknownKill({ kind }: SpecContainer, container: RuntimeContainer): KillAction {
  const what = kind === 'init' ? 'Init container' : 'Container';
  const message = `${what} is in "unknown" state, try killing it before restart`;
  return { container, message, reason: 'Unknown' };
}
