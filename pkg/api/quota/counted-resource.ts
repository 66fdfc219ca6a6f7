/** What the names in a ResourceQuota's spec.hard are about. */

import { resources } from '../generated/resources.ts';
import type { ResourceType } from '../object.ts';

/** The resource whose objects a name in spec.hard counts. */
export interface CountedResource {
  readonly group: string;
  readonly resource: string;
}

const DEVICES = '.deviceclass.resource.k8s.io/devices';
const PLAIN = new Set('services replicationcontrollers resourcequotas secrets configmaps'.split(' '));

/** `count/deployments.apps`: deployments of apps; `requests.cpu`: pods. */
export function countedResource(name: string): CountedResource {
  if (name.startsWith('count/')) {
    const counted = name.slice('count/'.length);
    const dot = counted.indexOf('.');
    return dot < 0
      ? { group: '', resource: counted }
      : { group: counted.slice(dot + 1), resource: counted.slice(0, dot) };
  }
  if (PLAIN.has(name)) return { group: '', resource: name };
  if (name.startsWith('services.')) return { group: '', resource: resources.services.resource };
  if (
    name === 'persistentvolumeclaims' ||
    name === 'requests.storage' ||
    name.includes('.storageclass.storage.k8s.io/')
  ) {
    return { group: '', resource: resources.persistentvolumeclaims.resource };
  }
  if (name.endsWith(DEVICES)) return { group: resources.resourceclaims.group, resource: 'resourceclaims' };
  return { group: '', resource: resources.pods.resource };
}

/** Those of the names in spec.hard that count a resource. */
export function namesCounting({ group, resource }: ResourceType, names: readonly string[]): string[] {
  return names.filter((name) => {
    const counted = countedResource(name);
    return counted.group === group && counted.resource === resource;
  });
}
