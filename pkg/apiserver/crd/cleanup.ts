import { isStatusError } from '../../api/errors.ts';
import type { KubeObject, ResourceType } from '../../api/object.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import { isTrue, type NewCondition, withCondition } from './conditions.ts';
import { CLEANUP_FINALIZER, type CRD, CRDS, resourceTypeOf } from './types.ts';

export interface CleanupDeps {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

const ATTEMPTS = 10;

/**
 * Deletes the instances of a definition that is being deleted, waits until the last one is gone (finalizers may hold them),
 * then lets the definition go. `version` is one that is served; undefined: none is, so nothing can be deleted.
 */
export async function cleanUp(
  deps: CleanupDeps,
  crd: CRD,
  version: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name } = crd.metadata;
  if (!isTrue(crd.status.conditions, 'Established') || version === undefined) {
    await report(deps, name, terminating('False', 'NeverEstablished', 'resource was never established'));
  } else {
    await report(
      deps,
      name,
      terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'),
    );
    await deleteInstances(deps, resourceTypeOf(crd, version), signal);
    if (signal.aborted) return;
    await report(deps, name, terminating('False', 'InstanceDeletionCompleted', 'removed all instances'));
  }
  await retry(deps, name, (current) => {
    const finalizers = current.metadata.finalizers?.filter((one) => one !== CLEANUP_FINALIZER) ?? [];
    return deps.client.update(CRDS, { ...current, metadata: { ...current.metadata, finalizers } });
  });
}

async function deleteInstances(
  { client, reader }: CleanupDeps,
  type: ResourceType,
  signal: AbortSignal,
): Promise<void> {
  const namespaces = new Set<string>();
  for (const { metadata } of reader.list<KubeObject>(type)) namespaces.add(metadata.namespace ?? '');
  if (namespaces.size === 0) return;
  const gone = Promise.withResolvers<void>();
  const check = (): void => {
    for (const _ of reader.list(type)) return;
    gone.resolve();
  };
  const stop = reader.onChange(type, check);
  try {
    for (const namespace of namespaces) {
      await client.deleteCollection(type, namespace === '' ? {} : { namespace }, {}, signal);
    }
    check();
    await Promise.race([gone.promise, aborted(signal)]);
  } finally {
    stop();
  }
}

function terminating(status: 'True' | 'False', reason: string, message: string): NewCondition {
  return { type: 'Terminating', status, reason, message };
}

async function report(deps: CleanupDeps, name: string, condition: NewCondition): Promise<void> {
  await retry(deps, name, (current) => {
    const conditions = withCondition(current.status.conditions, condition, deps.clock.now());
    return deps.client.updateStatus(CRDS, { ...current, status: { ...current.status, conditions } });
  });
}

/** Somebody else may write at the same time; a definition that is gone is fine. */
async function retry(deps: CleanupDeps, name: string, write: (current: CRD) => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const current = deps.reader.get(CRDS, { name });
    if (current === undefined) return;
    try {
      await write(current);
      return;
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return;
      if (!isStatusError(error, 'Conflict') || attempt === ATTEMPTS) throw error;
    }
  }
}
