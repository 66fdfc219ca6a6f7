import { isCriError } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod, SpecContainer } from '../types.ts';
import { isSidecar, specContainers } from '../types.ts';
import { containerSubject } from './container-events.ts';
import { HookError, runHook } from './hooks.ts';

export interface KillInput {
  readonly pod: Pod;
  readonly container: RuntimeContainer;
  /** Undefined when the spec no longer has it. */
  readonly spec: SpecContainer | undefined;
  readonly graceSeconds: number;
  readonly message: string;
  readonly podIP: string;
}

/** What SIGTERM gets even when a preStop hook has used the grace period up. */
const MIN_GRACE_SECONDS = 2;

/** preStop hook, SIGTERM, SIGKILL after the rest of the grace period; returns when the container has stopped. */
export async function killContainer(input: KillInput, context: KubeletContext): Promise<void> {
  const { container, pod, spec, graceSeconds, message } = input;
  const { recorder, clock, cri } = context.deps;
  if (spec !== undefined) recorder.event(containerSubject(pod, spec), 'Normal', 'Killing', message);
  let left = graceSeconds;
  const preStop = spec?.container.lifecycle?.preStop;
  if (preStop !== undefined && graceSeconds > 0 && container.state === 'running') {
    const started = clock.monotonic();
    await runPreStop(input, context);
    left = Math.max(MIN_GRACE_SECONDS, graceSeconds - (clock.monotonic() - started) / 1000);
  }
  try {
    await cri.runtime.stopContainer(container.id, Math.ceil(left));
  } catch (error) {
    if (!isCriError(error, 'NotFound')) throw error;
  }
}

async function runPreStop(input: KillInput, context: KubeletContext): Promise<void> {
  const { container, pod, spec, graceSeconds, podIP } = input;
  const { recorder, clock, cri, logger } = context.deps;
  const preStop = spec?.container.lifecycle?.preStop;
  if (spec === undefined || preStop === undefined) return;
  const expired = new AbortController();
  const cancel = clock.after(graceSeconds * 1000, () => expired.abort());
  try {
    const target = { pod, container: spec.container as Container, containerID: container.id, podIP };
    await runHook(preStop, target, { runtime: cri.runtime, clock }, expired.signal);
    if (expired.signal.aborted) throw new HookError('the grace period ended before the hook did');
  } catch (error) {
    logger.debug({ err: error, pod: pod.metadata.name, container: container.name }, 'preStop hook failed');
    recorder.event(containerSubject(pod, spec), 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
  } finally {
    cancel();
  }
}

/** Stops all running containers of a pod: app containers at once, then the sidecars in reverse order. */
export async function killContainers(
  pod: Pod,
  running: readonly RuntimeContainer[],
  graceSeconds: number,
  podIP: string,
  context: KubeletContext,
): Promise<void> {
  const { clock } = context.deps;
  const specs = specContainers(pod.spec);
  const sidecars: KillInput[] = [];
  const others: KillInput[] = [];
  for (const container of running) {
    const spec = specs.find((candidate) => candidate.container.name === container.name);
    const input = { pod, container, spec, graceSeconds, podIP, message: `Stopping container ${container.name}` };
    (spec?.kind === 'init' && isSidecar(spec.container) ? sidecars : others).push(input);
  }
  const started = clock.monotonic();
  if (graceSeconds > 0) await context.deps.trafficStopped?.();
  await Promise.all(others.map((input) => killContainer(input, context)));
  sidecars.sort(
    (a, b) =>
      specs.indexOf(b.spec ?? (specs[0] as SpecContainer)) - specs.indexOf(a.spec ?? (specs[0] as SpecContainer)),
  );
  for (const input of sidecars) {
    const left = Math.max(graceSeconds === 0 ? 0 : 1, graceSeconds - (clock.monotonic() - started) / 1000);
    await killContainer({ ...input, graceSeconds: left }, context);
  }
}
