import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec } from '../generated/types.ts';
import { addQuantity, compareQuantity } from '../validation/quantity.ts';

type Amounts = Record<string, string>;

/**
 * What the containers of a pod request together, as quantities by name: the main containers and sidecars, or one step of
 * initialization when that takes more. Upstream's AggregateContainerRequests.
 */
export function containerRequests(spec: DeepReadonly<PodSpec>): Amounts {
  return together(spec, 'requests');
}

/** The same for limits. Upstream's AggregateContainerLimits. */
export function containerLimits(spec: DeepReadonly<PodSpec>): Amounts {
  return together(spec, 'limits');
}

function together(spec: DeepReadonly<PodSpec>, field: 'limits' | 'requests'): Amounts {
  const total: Amounts = {};
  const sidecars: Amounts = {};
  const peak: Amounts = {};
  for (const { resources } of spec.containers ?? []) add(total, resources?.[field]);
  for (const { resources, restartPolicy } of spec.initContainers ?? []) {
    if (restartPolicy === 'Always') {
      add(total, resources?.[field]);
      add(sidecars, resources?.[field]);
      raise(peak, sidecars);
    } else {
      const step = { ...sidecars };
      add(step, resources?.[field]);
      raise(peak, step);
    }
  }
  raise(total, peak);
  return total;
}

function add(amounts: Amounts, more: Readonly<Amounts> | undefined): void {
  for (const name in more) {
    const known = amounts[name];
    const value = more[name] ?? '0';
    amounts[name] = known === undefined ? value : addQuantity(known, value);
  }
}

function raise(amounts: Amounts, least: Readonly<Amounts>): void {
  for (const name in least) {
    if (amounts[name] === undefined || compareQuantity(least[name], amounts[name]) > 0)
      amounts[name] = least[name] ?? '0';
  }
}
