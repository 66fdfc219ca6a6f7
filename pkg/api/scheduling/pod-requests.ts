import type { DeepReadonly } from '../../base/json.ts';
import type { Container, Pod, ResourceRequirements } from '../generated/types.ts';
import { quantityMilliValue, quantityValue } from '../quantity.ts';

/** Amounts by resource name: `cpu` in thousandths of a core, everything else in its own unit (bytes, pieces). */
export type ResourceAmounts = ReadonlyMap<string, number>;

type PodSpec = DeepReadonly<Pod>['spec'];

/** The amount of one resource as `ResourceAmounts` counts it. */
export function resourceAmount(name: string, quantity: string): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
}

export function resourceAmounts(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const name in list) {
    const quantity = list[name];
    if (quantity !== undefined) amounts.set(name, resourceAmount(name, quantity));
  }
  return amounts;
}

/**
 * What a pod takes from its node: the larger of what its containers need together and what any step of its init containers
 * needs (sidecars started before count from then on), plus overhead; requests of the pod as a whole replace the sums of
 * their resources. Upstream: resource.PodRequests.
 */
export function podRequests(spec: PodSpec): Map<string, number> {
  return podResources(spec, 'requests');
}

/**
 * What a pod that runs takes from its node: while it is resized in place, what its containers have or have been promised
 * counts where that is more than they ask for, and alone where the node cannot give what they ask for. Upstream: PodRequests
 * with UseStatusResources.
 */
export function placedPodRequests({ spec, status }: DeepReadonly<Pick<Pod, 'spec' | 'status'>>): Map<string, number> {
  const infeasible = status.conditions?.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  );
  const given = new Map<string, Map<string, number>>();
  for (const { name, resources, allocatedResources } of [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
  ]) {
    if (resources?.requests === undefined && allocatedResources === undefined) continue;
    const amounts = resourceAmounts(resources?.requests);
    raise(amounts, resourceAmounts(allocatedResources));
    given.set(name, amounts);
  }
  if (given.size === 0) return podRequests(spec);
  return podResources(spec, 'requests', (name, wanted) => {
    const amounts = given.get(name);
    if (amounts === undefined) return wanted;
    if (infeasible !== true) raise(amounts, wanted);
    return amounts;
  });
}

/** The same for limits. */
export function podLimits(spec: PodSpec): Map<string, number> {
  return podResources(spec, 'limits');
}

function podResources(
  spec: PodSpec,
  field: 'requests' | 'limits',
  ofContainer: (name: string, wanted: Map<string, number>) => Map<string, number> = (_name, wanted) => wanted,
): Map<string, number> {
  const total = new Map<string, number>();
  for (const container of spec.containers) add(total, ofContainer(container.name, amountsOf(container, field)));
  const sidecars = new Map<string, number>();
  const initPeak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const own = ofContainer(container.name, amountsOf(container, field));
    if (container.restartPolicy === 'Always') {
      add(total, own);
      add(sidecars, own);
      raise(initPeak, sidecars);
    } else {
      const step = new Map(sidecars);
      add(step, own);
      raise(initPeak, step);
    }
  }
  raise(total, initPeak);
  for (const [name, amount] of resourceAmounts(spec.resources?.[field])) total.set(name, amount);
  for (const [name, amount] of resourceAmounts(spec.overhead)) {
    const known = total.get(name);
    // What has no limit gets none from the overhead.
    if (field === 'requests' || known !== undefined) total.set(name, (known ?? 0) + amount);
  }
  return total;
}

function amountsOf(
  container: { readonly resources?: DeepReadonly<ResourceRequirements> } & Pick<DeepReadonly<Container>, 'name'>,
  field: 'requests' | 'limits',
): Map<string, number> {
  return resourceAmounts(container.resources?.[field]);
}

function add(target: Map<string, number>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) target.set(name, (target.get(name) ?? 0) + amount);
}

function raise(target: Map<string, number>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) if (amount > (target.get(name) ?? 0)) target.set(name, amount);
}
