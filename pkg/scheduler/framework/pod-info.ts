import type { Pod } from '../../api/generated/types.ts';
import { podRequests, type ResourceAmounts, resourceAmount } from '../../api/scheduling/pod-requests.ts';
import type { DeepReadonly } from '../../base/json.ts';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with what scheduling needs of it, computed once. */
export interface PodInfo {
  readonly pod: DeepReadonly<Pod>;
  /** The pod's uid: names can be used again. */
  readonly uid: string;
  readonly priority: number;
  readonly requests: ResourceAmounts;
  /** CPU and memory with upstream's defaults for containers that request none; used for scoring only. */
  readonly scoredCPU: number;
  readonly scoredMemory: number;
  readonly hostPorts: readonly HostPort[];
}

const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024;

export function podInfo(pod: DeepReadonly<Pod>): PodInfo {
  const { spec } = pod;
  const hostPorts: HostPort[] = [];
  let scoredCPU = 0;
  let scoredMemory = 0;
  for (const container of spec.containers) {
    const requests = container.resources?.requests;
    scoredCPU += requests?.cpu === undefined ? DEFAULT_MILLI_CPU : resourceAmount('cpu', requests.cpu);
    scoredMemory += requests?.memory === undefined ? DEFAULT_MEMORY_BYTES : resourceAmount('memory', requests.memory);
    for (const port of container.ports ?? []) {
      if (port.hostPort)
        hostPorts.push({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort });
    }
  }
  return {
    pod,
    uid: pod.metadata.uid,
    priority: spec.priority ?? 0,
    requests: podRequests(spec),
    scoredCPU,
    scoredMemory,
    hostPorts,
  };
}
