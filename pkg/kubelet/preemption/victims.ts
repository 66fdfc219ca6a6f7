import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { podRequests } from '../../api/scheduling/pod-requests.ts';
import { mayPreempt } from '../pod/critical.ts';
import type { Pod } from '../types.ts';

/** How much of a resource has to become free: CPU in thousandths of a core, everything else in its own unit. */
export interface Need {
  readonly resource: string;
  readonly amount: number;
}

/** Even without all pods that may be ended there would not be enough. */
export class NoVictimsError extends Error {
  override readonly name = 'NoVictimsError';

  constructor(needs: readonly Need[]) {
    const list = needs.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join('');
    super(`no set of running pods found to reclaim resources: [${list}]`);
  }
}

/**
 * Which pods to end so that `needs` are met for `preemptor`: as few of the guaranteed ones as there must be when all others go, then
 * as few of the burstable ones, then of the rest. Throws a NoVictimsError. Upstream: getPodsToPreempt. Pure.
 */
export function chooseVictims(preemptor: Pod, pods: readonly Pod[], needs: readonly Need[]): Pod[] {
  const candidates = pods.filter((pod) => mayPreempt(preemptor, pod));
  const of = (qos: string): Pod[] => candidates.filter(({ spec }) => podQOS(spec as ApiPodSpec) === qos);
  const [bestEffort, burstable, guaranteed] = [of('BestEffort'), of('Burstable'), of('Guaranteed')];
  const lacking = without(needs, candidates);
  if (lacking.length > 0) throw new NoVictimsError(lacking);
  const fromGuaranteed = fewest(guaranteed, without(needs, [...bestEffort, ...burstable]));
  const fromBurstable = fewest(burstable, without(needs, [...bestEffort, ...fromGuaranteed]));
  const fromBestEffort = fewest(bestEffort, without(needs, [...fromBurstable, ...fromGuaranteed]));
  return [...fromBestEffort, ...fromBurstable, ...fromGuaranteed];
}

/** Takes the pod that leaves the least to be done again and again; of equally good ones the smaller. */
function fewest(pods: readonly Pod[], needs: readonly Need[]): Pod[] {
  const chosen: Pod[] = [];
  let left = needs;
  let rest = pods;
  while (left.length > 0) {
    let best: { pod: Pod; distance: number } | undefined;
    for (const pod of rest) {
      const distance = distanceTo(left, pod);
      if (best === undefined || distance < best.distance || (distance === best.distance && isSmaller(pod, best.pod))) {
        best = { pod, distance };
      }
    }
    if (best === undefined) throw new NoVictimsError(left);
    const { pod } = best;
    chosen.push(pod);
    left = without(left, [pod]);
    rest = rest.filter((one) => one !== pod);
  }
  return chosen;
}

/** What is still needed when these pods have gone. */
function without(needs: readonly Need[], pods: readonly Pod[]): Need[] {
  return needs
    .map(({ resource, amount }) => ({
      resource,
      amount: pods.reduce((left, pod) => left - requestOf(pod, resource), amount),
    }))
    .filter(({ amount }) => amount > 0);
}

/** The squares of the parts of each need that would be left without the pod: each need counts the same. */
function distanceTo(needs: readonly Need[], pod: Pod): number {
  return needs.reduce((sum, { resource, amount }) => {
    const left = Math.max(0, amount - requestOf(pod, resource));
    return sum + (left / amount) ** 2;
  }, 0);
}

/** By memory, then by CPU; so are equal ones. */
function isSmaller(pod: Pod, other: Pod): boolean {
  for (const resource of ['memory', 'cpu']) {
    const difference = requestOf(pod, resource) - requestOf(other, resource);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

/** The overhead of a pod counts only where it asks for something itself. */
function requestOf({ spec }: Pod, resource: string): number {
  if (resource === 'pods') return 1;
  const { overhead, ...bare } = spec;
  return (podRequests(bare).get(resource) ?? 0) === 0 ? 0 : (podRequests(spec).get(resource) ?? 0);
}
