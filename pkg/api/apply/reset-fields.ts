import type { ResourceType } from '../object.ts';

const none: readonly string[] = [];
const status: readonly string[] = ['status'];
const spec: readonly string[] = ['spec'];
const specAndLabels: readonly string[] = ['spec', 'metadata.labels'];
const specAndMetadata: readonly string[] = ['spec', 'metadata'];
const podStatus: readonly string[] = ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'];

/** Workloads whose labels cannot be changed through their status. */
const labelledWorkloads = new Set(['deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps']);

/**
 * The fields that a write to the resource or to its subresource leaves as they are, so that nobody can come to own them
 * that way. Corresponds to the GetResetFields of upstream's strategies.
 */
export function resetFieldsOf(
  resource: {
    readonly type: ResourceType;
    readonly subresources: readonly { name: string }[];
    readonly custom?: boolean;
  },
  subresource: string,
): readonly string[] {
  const { type } = resource;
  if (subresource === '') {
    return resource.subresources.some(({ name }) => name === 'status') ? status : none;
  }
  if (subresource !== 'status') return none;
  if (resource.custom === true) return specAndMetadata;
  if (type.group === '' && type.resource === 'pods') return podStatus;
  return labelledWorkloads.has(`${type.resource}.${type.group}`) ? specAndLabels : spec;
}
