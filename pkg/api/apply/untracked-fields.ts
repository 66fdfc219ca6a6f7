import { type FieldSet, setOf } from './field-set.ts';

/** Fields that nobody owns: what identifies the object and what only the server sets. */
const serverFields = [
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.creationTimestamp',
  'metadata.selfLink',
  'metadata.uid',
  'metadata.clusterName',
  'metadata.generation',
  'metadata.managedFields',
  'metadata.resourceVersion',
];

const noResetFields: readonly string[] = [];
const known = new WeakMap<readonly string[], FieldSet>();

/**
 * The fields that ownership is not tracked for: the server's own and `resetFields`, which the request cannot change
 * (`status`, `metadata.labels`).
 */
export function untrackedFields(resetFields: readonly string[] = noResetFields): FieldSet {
  let set = known.get(resetFields);
  if (set === undefined) {
    set = setOf(...[...serverFields, ...resetFields].map((path) => path.split('.').map((name) => `f:${name}`)));
    known.set(resetFields, set);
  }
  return set;
}
