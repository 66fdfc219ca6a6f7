import type { EventRecorder } from '../client/index.ts';
import type { Extenders } from './extenders/extenders.ts';
import type { CycleState } from './framework/cycle-state.ts';
import type { Framework } from './framework/framework.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { Rejection } from './framework/plugin.ts';
import type { PodInfo } from './framework/pod-info.ts';

/** A pod with the node that was chosen for it. */
export interface Placement {
  readonly pod: PodInfo;
  readonly node: NodeInfo;
  readonly state: CycleState;
  readonly framework: Framework;
}

/** A plugin that failed while a pod was bound; `cause` is what it threw. */
export class BindingError extends Error {
  override readonly name = 'BindingError';
}

export interface BindingCycleDeps {
  readonly recorder: EventRecorder;
  readonly extenders: Extenders;
}

/**
 * Takes a placement to the API server: waits for permits, prepares (binds volumes), binds, says so. Returns a rejection when a
 * permit is refused; throws a BindingError, or what the API server said to the binding.
 */
export async function bindPod(
  { pod, node, state, framework }: Placement,
  { recorder, extenders }: BindingCycleDeps,
  signal: AbortSignal,
): Promise<Rejection | undefined> {
  const { permit, preBind, bind, postBind } = framework.plugins;
  for (const plugin of permit) {
    const rejection = await plugin.permit?.(state, pod, node, signal);
    if (rejection !== undefined) return rejection;
  }
  for (const plugin of preBind) await named('PreBind', plugin.name, plugin.preBind?.(state, pod, node, signal));
  let isBound = await extenders.bind(pod, node.name);
  for (const plugin of bind) {
    if (isBound) break;
    isBound = (await named('Bind', plugin.name, plugin.bind?.(state, pod, node, signal))) ?? false;
  }
  if (!isBound) throw new BindingError('no plugin binds the pod');
  for (const plugin of postBind) plugin.postBind?.(state, pod, node);
  const { namespace, name } = pod.pod.metadata;
  recorder.event(pod.pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node.name}`, {
    action: 'Binding',
  });
  return undefined;
}

async function named<T>(point: string, plugin: string, work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    throw new BindingError(`running ${point} plugin "${plugin}"`, { cause: error });
  }
}
