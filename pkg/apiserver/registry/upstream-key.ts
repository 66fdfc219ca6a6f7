import type { ResourceDefinition } from '../../api/definition.ts';
import { storageKey, storedType } from '../watchcache/watch-cache.ts';

/** Resources whose objects upstream keeps under another name. */
const NAMES: Readonly<Record<string, string>> = {
  endpoints: 'services/endpoints',
  ingresses: 'ingress',
  nodes: 'minions',
  replicationcontrollers: 'controllers',
  services: 'services/specs',
};

/** Groups that have servers of their own inside upstream's, which keep them by group. */
const BY_GROUP: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);

/** The key that an error text names: where upstream keeps the object, who leaves the group of built-in resources out. */
export function upstreamKey(definition: ResourceDefinition, namespace: string, name: string): string {
  const type = storedType(definition);
  if (definition.custom === true || BY_GROUP.has(type.group)) return storageKey(type, namespace, name);
  const folder = NAMES[type.resource] ?? type.resource;
  return `/registry/${folder}/${namespace === '' ? '' : `${namespace}/`}${name}`;
}
