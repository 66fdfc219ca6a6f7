import { newestContainer, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';

type Rule = NonNullable<Container['restartPolicyRules']>[number];

/** Whether an ended (or never started) container runs again: its own policy and rules first, then the pod's. */
export function restartDecision(
  pod: Pod,
  container: Container | EphemeralContainer,
  status: RuntimeContainer | undefined,
): 'yes' | 'no' {
  if (status === undefined) return 'yes';
  if (status.state === 'running') return 'no';
  if (status.state === 'unknown' || status.state === 'created') return 'yes';
  return restartsAfter(pod, container, status.exitCode) ? 'yes' : 'no';
}

/** Whether a container that ended with this exit code runs again. */
export function restartsAfter(pod: Pod, container: Container | EphemeralContainer, exitCode: number): boolean {
  if (matchingRule(container, exitCode) !== undefined) return true;
  const policy = container.restartPolicy ?? pod.spec.restartPolicy;
  if (policy === 'Never') return false;
  return policy !== 'OnFailure' || exitCode !== 0;
}

/** The first rule of the container that is about this exit code. */
function matchingRule(container: Container | EphemeralContainer, exitCode: number): Rule | undefined {
  return container.restartPolicyRules?.find(({ exitCodes }) => {
    if (exitCodes === undefined) return false;
    const listed = exitCodes.values?.includes(exitCode) ?? false;
    return (exitCodes.operator === 'In') === listed;
  });
}

/** Whether an end of one of its containers can restart all of them. */
export function canRestartAll(pod: Pod): boolean {
  return ownContainers(pod).some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );
}

/**
 * The runs of init and app containers that a restart of all containers makes outdated: those from before the last end that a
 * rule answers with it. Which restart that was is seen from the runtime alone, as long as it keeps the run that ended.
 */
export function restartOfAll(pod: Pod, runtime: PodRuntime): readonly RuntimeContainer[] {
  if (!canRestartAll(pod)) return [];
  const specs = new Map(ownContainers(pod).map((container) => [container.name, container]));
  const own = runtime.containers.filter(({ name }) => specs.has(name));
  const ends = own.filter(({ name, state, exitCode }) => {
    const spec = specs.get(name);
    if (state !== 'exited' || spec === undefined) return false;
    return matchingRule(spec, exitCode)?.action === 'RestartAllContainers';
  });
  const sinceMs = Math.max(...ends.map(({ finishedAtMs }) => finishedAtMs));
  return own.filter(({ createdAtMs }) => createdAtMs < sinceMs);
}

/** How far a restart of all containers is: some still have to end, or to start again. */
export function restartAllProgress(pod: Pod, runtime: PodRuntime): 'ending' | 'starting' | undefined {
  const outdated = new Set(restartOfAll(pod, runtime));
  if ([...outdated].some(({ state }) => state === 'running')) return 'ending';
  const waits = ownContainers(pod).some(({ name }) => {
    const newest = newestContainer(runtime, name);
    return newest !== undefined && outdated.has(newest);
  });
  return waits ? 'starting' : undefined;
}

function ownContainers({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
