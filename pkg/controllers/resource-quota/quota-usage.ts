import { resources } from '../../api/generated/resources.ts';
import type { ResourceQuota } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { addQuantities, formatQuantity, parseQuantity, type Quantity, quantityOf } from '../../api/quantity.ts';
import { quotaMatches, usageOf } from '../../api/quota/usage.ts';

export type ReadQuota = DeepReadonly<ResourceQuota>;

/** The resource whose objects a name in spec.hard counts. */
export interface CountedResource {
  readonly group: string;
  readonly resource: string;
}

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
  return { group: '', resource: resources.pods.resource };
}

export interface CountedObjects {
  readonly type: ResourceType;
  readonly objects: Iterable<DeepReadonly<KubeObject>>;
}

/** What the objects of a namespace use of each name in spec.hard. */
export function usedBy(quota: ReadQuota, counted: readonly CountedObjects[]): Record<string, string> {
  const totals = new Map<string, Quantity>();
  for (const name of Object.keys(quota.spec?.hard ?? {})) totals.set(name, quantityOf(0));
  for (const { type, objects } of counted) {
    for (const object of objects) {
      if (!quotaMatches(quota, type, object)) continue;
      for (const [name, amount] of Object.entries(usageOf(type, object))) {
        const total = totals.get(name);
        if (total === undefined) continue;
        const quantity = parseQuantity(amount);
        totals.set(name, isZero(total) ? quantity : addQuantities(total, quantity));
      }
    }
  }
  return Object.fromEntries([...totals].map(([name, total]) => [name, formatQuantity(total)]));
}

function isZero(quantity: Quantity): boolean {
  return formatQuantity(quantity) === '0';
}
