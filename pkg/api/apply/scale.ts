import type { DeepReadonly } from '../../base/json.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import { difference, hasPath, setOf } from './field-set.ts';
import { type Managed, managedEntries, managedOf } from './managed-fields.ts';

const scaleVersion = 'autoscaling/v1';
const replicasOfScale = setOf(['f:spec', 'f:replicas']);

type Entries = readonly DeepReadonly<ManagedFieldsEntry>[] | undefined;

/** `.spec.replicas` as a path in a field set. */
function pathOf(specReplicasPath: string): string[] {
  return specReplicasPath
    .split('.')
    .filter((name) => name !== '')
    .map((name) => `f:${name}`);
}

/**
 * The managedFields of an object's scale: those of its entries that own the replicas. `specReplicasPath` says where the object
 * has them.
 */
export function scaleManagedFields(object: Entries, specReplicasPath: string): ManagedFieldsEntry[] | undefined {
  const path = pathOf(specReplicasPath);
  return managedEntries(
    managedOf(object)
      .filter((entry) => hasPath(entry.fields, path))
      .map((entry) => ({ ...entry, apiVersion: scaleVersion, fields: replicasOfScale })),
  );
}

/**
 * The managedFields of the object after a write to its scale: who no longer owns the replicas there loses them here, who newly
 * owns them gets an entry. `apiVersion` is the object's.
 */
export function managedFieldsAfterScale(
  object: Entries,
  scale: Entries,
  specReplicasPath: string,
  apiVersion: string,
): ManagedFieldsEntry[] | undefined {
  const path = pathOf(specReplicasPath);
  const replicas = setOf(path);
  const scalers = managedOf(scale).filter((entry) => hasPath(entry.fields, ['f:spec', 'f:replicas']));
  const kept = managedOf(object).map((entry) => {
    if (!hasPath(entry.fields, path)) return entry;
    const at = scalers.findIndex((scaler) => isSame(scaler, entry));
    const [scaler] = at < 0 ? [] : scalers.splice(at, 1);
    return scaler === undefined ? { ...entry, fields: difference(entry.fields, replicas) } : entry;
  });
  // Upstream knows the times of the object's own managers only: who comes to it by its scale has none.
  const added = scalers.map((entry) => ({ ...entry, apiVersion, time: '', fields: replicas }));
  return managedEntries([...kept, ...added]);
}

function isSame(a: Managed, b: Managed): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}
