import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { quantityValue } from '../../api/quantity.ts';
import { podRequests } from '../../api/scheduling/pod-requests.ts';
import { isCritical } from '../pod/critical.ts';
import { type Container, type EphemeralContainer, isSidecar, type Pod } from '../types.ts';

const GUARANTEED = -997;
const BEST_EFFORT = 1000;
const NODE_CRITICAL = 'system-node-critical';

/**
 * Of the container's processes: the less of its class' promise a container uses, the later it dies. What is critical to the node
 * dies last, and a sidecar not before the containers that it serves. Upstream: GetContainerOOMScoreAdjust. Pure.
 */
export function oomScoreAdj(pod: Pod, container: Container | EphemeralContainer, nodeMemoryBytes: number): number {
  if (isCritical(pod) && pod.spec.priorityClassName === NODE_CRITICAL) return GUARANTEED;
  const qos = podQOS(pod.spec as ApiPodSpec);
  if (qos === 'Guaranteed') return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const share = sharedMemory(pod);
  const scoreOf = (requestBytes: number): number =>
    BEST_EFFORT - Math.trunc((BEST_EFFORT * (requestBytes + share)) / nodeMemoryBytes);
  const own = scoreOf(memoryRequest(container));
  const served = isSidecar(container) ? scoreOf(Math.min(...pod.spec.containers.map(memoryRequest))) : own;
  return Math.min(BEST_EFFORT - 1, Math.max(BEST_EFFORT + GUARANTEED, Math.min(own, served)));
}

/** What each container has of the memory that the pod asks for as a whole and its containers do not. */
function sharedMemory({ spec }: Pod): number {
  const whole = spec.resources?.requests?.['memory'];
  if (whole === undefined) return 0;
  const { resources: _, overhead: __, ...bare } = spec;
  const left = quantityValue(whole) - (podRequests(bare).get('memory') ?? 0);
  return Math.trunc(left / (spec.containers.length + (spec.initContainers?.length ?? 0)));
}

function memoryRequest({ resources }: Container | EphemeralContainer): number {
  const request = resources?.requests?.['memory'];
  return request === undefined ? 0 : quantityValue(request);
}
