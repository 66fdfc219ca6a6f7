import { resources } from '../api/generated/resources.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, EventRecorder } from '../client/index.ts';
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
  readonly client: Client;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly extenders: Extenders;
}

/**
 * Takes a placement to the API server: waits for permits, prepares (binds volumes), binds, says so. Returns a rejection when a
 * permit is refused; throws a BindingError, or what the API server said to the binding.
 */
export async function bindPod(
  placement: Placement,
  deps: BindingCycleDeps,
  signal: AbortSignal,
): Promise<Rejection | undefined> {
  const { pod, node, state, framework } = placement;
  const { recorder, extenders } = deps;
  const { permit, preBind, bind, postBind } = framework.plugins;
  if (preBind.some((plugin) => plugin.preparesBinding?.(state, node))) await tellExpectedNode(placement, deps, signal);
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

/**
 * Says where a pod will be whose binding takes time, so that autoscalers keep that node, and the next scheduler tries it first
 * (upstream: NominatedNodeNameForExpectation). The binding goes on without it.
 */
async function tellExpectedNode(
  { pod: { pod }, node }: Placement,
  { client, logger }: BindingCycleDeps,
  signal: AbortSignal,
): Promise<void> {
  if (pod.status.nominatedNodeName === node.name) return;
  const { namespace, name, uid } = pod.metadata;
  const patch = { metadata: { uid }, status: { nominatedNodeName: node.name } };
  try {
    await client.patch(resources.pods, { namespace, name }, 'strategic', patch, { subresource: 'status' }, signal);
  } catch (error) {
    logger.warn({ pod: `${namespace}/${name}`, node: node.name, err: error }, 'cannot tell where a pod will be');
  }
}

async function named<T>(point: string, plugin: string, work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    throw new BindingError(`running ${point} plugin "${plugin}"`, { cause: error });
  }
}
