import { isCriError } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod, SpecContainer } from '../types.ts';
import { isSidecar, specContainers } from '../types.ts';
import { containerSubject } from './container-events.ts';
import { HookError, hookDeps, runHook } from './hooks.ts';

export interface KillInput {
  readonly pod: Pod;
  readonly container: RuntimeContainer;
  /** Undefined when the spec no longer has it. */
  readonly spec: SpecContainer | undefined;
  readonly graceSeconds: number;
  readonly message: string;
  readonly podIP: string;
  /** No preStop hook: the container ends with all others of its pod, to start again. */
  readonly withoutHook?: boolean;
  /** What must have ended before this container is told to; its preStop hook does not wait. Absent: nothing. */
  readonly turn?: Promise<unknown>;
}

/** Something of a pod could not be ended: what the FailedKillPod event says. */
export class KillError extends Error {
  override readonly name = 'KillError';
  /** The runtime did not answer in time: all grace is over. */
  readonly timedOut: boolean;

  /** As upstream words it: `what` failed for something of this name. */
  constructor(what: 'KillContainer' | 'KillPodSandbox', of: string, cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    super(`failed to "${what}" for "${of}" with ${what}Error: ${JSON.stringify(text)}`, { cause });
    this.timedOut = isCriError(cause, 'DeadlineExceeded');
  }
}

/** What SIGTERM gets even when a preStop hook has used the grace period up. */
const MIN_GRACE_SECONDS = 2;

/**
 * preStop hook, SIGTERM, SIGKILL after the rest of the grace period; returns when the container has stopped. Throws a KillError.
 * Rejects when `signal` aborts: the kubelet stops, and the next one goes on with it.
 */
export async function killContainer(input: KillInput, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const { container, pod, spec, graceSeconds, message, turn } = input;
  const { recorder, clock, cri } = context.deps;
  if (spec !== undefined) recorder.event(containerSubject(pod, spec), 'Normal', 'Killing', message);
  const started = clock.monotonic();
  const left = (): number => graceSeconds - (clock.monotonic() - started) / 1000;
  const hasHook = input.withoutHook !== true && spec?.container.lifecycle?.preStop !== undefined;
  const runsPreStop = hasHook && graceSeconds > 0 && container.state === 'running';
  if (runsPreStop) await runPreStop(input, context, signal);
  signal.throwIfAborted();
  if (turn !== undefined && left() > 0) await within(turn, left() * 1000, context, signal);
  const hasWaited = runsPreStop || (turn !== undefined && graceSeconds > 0);
  try {
    await cri.runtime.stopContainer(
      container.id,
      hasWaited ? Math.ceil(Math.max(MIN_GRACE_SECONDS, left())) : graceSeconds,
      { signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!isCriError(error, 'NotFound')) throw new KillError('KillContainer', container.name, error);
  }
}

/** Waits for `turn`, but not longer than `ms`. */
async function within(turn: Promise<unknown>, ms: number, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  // Whether the others could be stopped is their own kill's business.
  const ended = turn.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, context.deps.clock.sleep(ms, AbortSignal.any([signal, done.signal]))]);
  done.abort();
}

async function runPreStop(input: KillInput, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const { container, pod, spec, graceSeconds, podIP } = input;
  const { recorder, clock, logger } = context.deps;
  const preStop = spec?.container.lifecycle?.preStop;
  if (spec === undefined || preStop === undefined) return;
  const expired = new AbortController();
  const cancel = clock.after(graceSeconds * 1000, () => expired.abort());
  try {
    const target = { pod, container: spec.container as Container, containerID: container.id, podIP };
    await runHook(preStop, target, hookDeps(context), AbortSignal.any([signal, expired.signal]));
    if (expired.signal.aborted) throw new HookError('the grace period ended before the hook did');
  } catch (error) {
    if (signal.aborted) return;
    logger.debug({ err: error, pod: pod.metadata.name, container: container.name }, 'preStop hook failed');
    recorder.event(containerSubject(pod, spec), 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
  } finally {
    cancel();
  }
}

/**
 * Stops all running containers of a pod. Every one is told of and runs its preStop hook at once; a sidecar is then stopped only
 * after the app containers and the sidecars behind it, as long as the grace period lasts.
 */
export async function killContainers(
  pod: Pod,
  running: readonly RuntimeContainer[],
  graceSeconds: number,
  podIP: string,
  context: KubeletContext,
  signal: AbortSignal,
): Promise<void> {
  if (graceSeconds > 0) await context.deps.trafficStopped?.();
  const kills: Promise<void>[] = [];
  const kill = (
    container: RuntimeContainer,
    spec: SpecContainer | undefined,
    turn?: Promise<unknown>,
  ): Promise<void> => {
    const message = `Stopping container ${container.name}`;
    const input = { pod, container, spec, graceSeconds, podIP, message };
    const killing = killContainer(turn === undefined ? input : { ...input, turn }, context, signal);
    kills.push(killing);
    return killing;
  };
  const { others, sidecars } = inOrderOfEnd(pod, running);
  let before: Promise<unknown> = Promise.allSettled(others.map(({ container, spec }) => kill(container, spec)));
  for (const { container, spec } of sidecars) {
    before = Promise.allSettled([before, kill(container, spec, before)]);
  }
  await Promise.all(kills);
}

interface RunningContainer {
  readonly container: RuntimeContainer;
  readonly spec: SpecContainer | undefined;
}

/** Containers in spec order, and the sidecars that end after them, the last one first. */
export function inOrderOfEnd(
  pod: Pod,
  running: readonly RuntimeContainer[],
): { others: RunningContainer[]; sidecars: RunningContainer[] } {
  const specs = specContainers(pod.spec);
  const placed = running
    .map((container) => {
      const place = specs.findIndex((candidate) => candidate.container.name === container.name);
      return { container, spec: specs[place], place: place < 0 ? specs.length : place };
    })
    .sort((a, b) => a.place - b.place);
  const ofSidecar = ({ spec }: RunningContainer): boolean => spec?.kind === 'init' && isSidecar(spec.container);
  return {
    others: placed.filter((one) => !ofSidecar(one)),
    sidecars: placed.filter(ofSidecar).reverse(),
  };
}
