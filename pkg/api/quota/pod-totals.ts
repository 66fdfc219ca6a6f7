import type { DeepReadonly } from '../../base/json.ts';
import type { Container, PodSpec } from '../generated/types.ts';
import { addQuantities, compareQuantities, formatQuantity, parseQuantity } from '../quantity.ts';

/** Amounts by resource name, in upstream's canonical text. */
export type Amounts = Readonly<Record<string, string>>;

/**
 * What a pod asks for in total: the sum of its containers and sidecars, or the largest init container (with the sidecars
 * started before it) where that is more; plus overhead. Pod-level resources come first (upstream's resource.PodRequests).
 */
export function podTotals(spec: DeepReadonly<PodSpec>, side: 'requests' | 'limits'): Amounts {
  const of = (container: DeepReadonly<Container>): Amounts => container.resources?.[side] ?? {};
  let total: Amounts = {};
  for (const container of spec.containers) total = add(total, of(container));
  let sidecars: Amounts = {};
  let start: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      total = add(total, of(container));
      sidecars = add(sidecars, of(container));
      start = max(start, sidecars);
    } else {
      start = max(start, add(sidecars, of(container)));
    }
  }
  total = max(total, start);
  total = { ...total, ...spec.resources?.[side] };
  if (spec.overhead === undefined) return total;
  if (side === 'requests') return add(total, spec.overhead);
  const known = Object.entries(spec.overhead).filter(([name]) => total[name] !== undefined);
  return add(total, Object.fromEntries(known));
}

export function add(a: Amounts, b: Amounts): Amounts {
  const sum: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const known = sum[name];
    sum[name] =
      known === undefined ? amount : formatQuantity(addQuantities(parseQuantity(known), parseQuantity(amount)));
  }
  return sum;
}

export function max(a: Amounts, b: Amounts): Amounts {
  const larger: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const known = larger[name];
    if (known === undefined || compareQuantities(parseQuantity(amount), parseQuantity(known)) > 0)
      larger[name] = amount;
  }
  return larger;
}
