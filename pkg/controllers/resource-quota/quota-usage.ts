import type { ResourceQuota } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject, ResourceType } from '../../api/object.ts';
import { addQuantities, formatQuantity, parseQuantity, type Quantity, quantityOf } from '../../api/quantity.ts';
import { quotaMatches } from '../../api/quota/scopes.ts';
import { usageOf } from '../../api/quota/usage.ts';

export type ReadQuota = DeepReadonly<ResourceQuota>;

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
