import { formatQuantity, milliQuantityOf, quantityOf } from '../../api/quantity.ts';
import { podLimits, podRequests, type ResourceAmounts } from '../../api/scheduling/pod-requests.ts';
import type { Pod, PodStatus } from '../types.ts';

/** What a pod that runs is told to have: what its cgroup knows of. */
const OF_CGROUPS: ReadonlySet<string> = new Set(['cpu', 'memory']);

/**
 * What a pod has been given that asks for something as a whole. Upstream: convertToAPIPodLevelResourcesStatus, which tells of all
 * others too what their containers have together.
 */
export function podAmounts({ spec }: Pod, isRunning: boolean): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  if (spec.resources === undefined) return {};
  const requests = podRequests(spec);
  const told = (amounts: ResourceAmounts): Record<string, string> =>
    quantities(amounts, (name) => !isRunning || OF_CGROUPS.has(name) || spec.resources?.requests?.[name] !== undefined);
  const allocated = quantities(requests, () => true);
  return {
    ...(isEmpty(allocated) ? {} : { allocatedResources: allocated }),
    resources: {
      ...spec.resources,
      ...unlessEmpty('limits', told(podLimits(spec))),
      ...unlessEmpty('requests', told(requests)),
    },
  };
}

function quantities(amounts: ResourceAmounts, isTold: (name: string) => boolean): Record<string, string> {
  const entries = [...amounts].filter(([name]) => isTold(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, amount]) => [name, quantity(name, amount)]));
}

function quantity(name: string, amount: number): string {
  if (name === 'cpu') return formatQuantity(milliQuantityOf(amount));
  return formatQuantity(quantityOf(amount, name.includes('/') ? 'DecimalSI' : 'BinarySI'));
}

function unlessEmpty(name: 'limits' | 'requests', amounts: Record<string, string>): object {
  return isEmpty(amounts) ? {} : { [name]: amounts };
}

function isEmpty(amounts: object): boolean {
  return Object.keys(amounts).length === 0;
}
