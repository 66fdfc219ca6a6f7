import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';

type Entries = DeepReadonly<KubeObject>['metadata']['managedFields'];

/**
 * The managedFields that `object` is stored with in place of `live`: the live ones when the two differ in nothing but the times of
 * their entries, so that a write that changes nothing is none. To be asked when everything else has been decided.
 */
export function settledManagedFields(live: DeepReadonly<KubeObject>, object: DeepReadonly<KubeObject>): Entries {
  const [before, after] = [live.metadata.managedFields, object.metadata.managedFields];
  if (before === after || before === undefined || after === undefined || before.length !== after.length) return after;
  const sameOwners = after.every((entry, i) => equalJSON({ ...entry, time: '' }, { ...before[i], time: '' }));
  const unchanged = sameOwners && equalJSON(withoutEntries(live), withoutEntries(object));
  return unchanged ? before : after;
}

function withoutEntries(object: DeepReadonly<KubeObject>): unknown {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
