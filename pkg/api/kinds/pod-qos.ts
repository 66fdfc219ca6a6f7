import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec } from '../generated/types.ts';
import { quantitySign } from '../validation/quantity.ts';

const qosResources = ['cpu', 'memory'];

/** The pod's quality-of-service class; pod-level resources come before those of containers. */
export function podQOS(spec: DeepReadonly<PodSpec>): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const holders = spec.resources ? [spec] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources } of holders) {
    let limits = 0;
    for (const name of qosResources) {
      const request = resources?.requests?.[name];
      const limit = resources?.limits?.[name];
      const hasRequest = request !== undefined && quantitySign(request) !== 0;
      const hasLimit = limit !== undefined && quantitySign(limit) !== 0;
      if (hasRequest || hasLimit) any = true;
      if (hasLimit) limits++;
      if (hasLimit && hasRequest && request !== limit) guaranteed = false;
      if (hasLimit !== hasRequest) guaranteed = false;
    }
    if (limits !== qosResources.length) guaranteed = false;
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
