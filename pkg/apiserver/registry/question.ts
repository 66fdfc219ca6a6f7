import type { ResourceDefinition } from '../../api/definition.ts';
import type { KubeObject } from '../../api/object.ts';
import type { RegistryCore, WriteTarget } from './core.ts';
import { fillNamespace } from './create.ts';
import { runSteps } from './next-turn.ts';

const SYSTEM_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
] as const;

/**
 * Prepares what is answered and never stored (a review, a request for a token) as upstream does everything that is created: its
 * namespace is that of the path, only the server says what the server says, and it has owners. `definition` is that of its own kind.
 * Changes `object`. Throws BadRequest for another namespace.
 */
export async function prepareQuestion(
  core: RegistryCore,
  target: WriteTarget,
  definition: ResourceDefinition,
  object: KubeObject,
): Promise<void> {
  const { subresource, fieldManager: manager, context } = target;
  fillNamespace(target, object);
  for (const name of SYSTEM_FIELDS) delete object.metadata[name];
  const { engine, clock } = core.deps;
  await runSteps(
    context,
    engine.trackUpdate({ definition, live: undefined, object, manager, subresource, nowMs: clock.now() }),
  );
}
