import type { Pod } from '../../api/generated/types.ts';
import {
  placedPodRequests,
  podRequests,
  type ResourceAmounts,
  resourceAmount,
} from '../../api/scheduling/pod-requests.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { type AffinityTerm, affinityTerm, type WeightedTerm } from './affinity-term.ts';

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
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  /** Preferred terms of both kinds. */
  readonly preferredAffinity: readonly WeightedTerm[];
  /** `namespace/name` of the claims of its volumes, generic ephemeral ones included. */
  readonly claims: readonly string[];
}

type PodSpec = DeepReadonly<Pod>['spec'];

const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024;
const NONE: readonly never[] = [];

export function podInfo(pod: DeepReadonly<Pod>): PodInfo {
  const { spec } = pod;
  const requests = spec.nodeName ? placedPodRequests(pod) : podRequests(spec);
  return {
    pod,
    uid: pod.metadata.uid,
    priority: spec.priority ?? 0,
    requests,
    scoredCPU: scoredAmount(spec, 'cpu', DEFAULT_MILLI_CPU, requests),
    scoredMemory: scoredAmount(spec, 'memory', DEFAULT_MEMORY_BYTES, requests),
    hostPorts: hostPorts(spec),
    ...affinity(pod),
    claims: claims(pod),
  };
}

/** The request with a default for each container that has none; equal to the request where every container has one. */
function scoredAmount(spec: PodSpec, name: 'cpu' | 'memory', missing: number, requests: ResourceAmounts): number {
  if (spec.resources?.requests?.[name] !== undefined) return requests.get(name) ?? 0;
  const amount = (requests: Readonly<Record<string, string>> | undefined): number => {
    const quantity = requests?.[name];
    return quantity === undefined ? missing : resourceAmount(name, quantity);
  };
  let sum = 0;
  for (const container of spec.containers) sum += amount(container.resources?.requests);
  let sidecars = 0;
  let peak = 0;
  for (const container of spec.initContainers ?? NONE) {
    const own = amount(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      sum += own;
      sidecars += own;
      peak = Math.max(peak, sidecars);
    } else {
      peak = Math.max(peak, sidecars + own);
    }
  }
  const overhead = spec.overhead?.[name];
  return Math.max(sum, peak) + (overhead === undefined ? 0 : resourceAmount(name, overhead));
}

/** Ports of containers and of sidecars. */
function hostPorts(spec: PodSpec): readonly HostPort[] {
  let found: HostPort[] | undefined;
  const collect = (container: PodSpec['containers'][number]): void => {
    for (const port of container.ports ?? NONE) {
      if (!port.hostPort) continue;
      found ??= [];
      found.push({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort });
    }
  };
  for (const container of spec.containers) collect(container);
  for (const container of spec.initContainers ?? NONE) if (container.restartPolicy === 'Always') collect(container);
  return found ?? NONE;
}

function affinity(
  pod: DeepReadonly<Pod>,
): Pick<PodInfo, 'requiredAffinity' | 'requiredAntiAffinity' | 'preferredAffinity'> {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) {
    return { requiredAffinity: NONE, requiredAntiAffinity: NONE, preferredAffinity: NONE };
  }
  const preferred = (from: typeof podAffinity, sign: 1 | -1): WeightedTerm[] =>
    (from?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
      ...affinityTerm(pod, podAffinityTerm),
      weight: sign * weight,
    }));
  const required = (from: typeof podAffinity): AffinityTerm[] =>
    (from?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => affinityTerm(pod, term));
  return {
    requiredAffinity: required(podAffinity),
    requiredAntiAffinity: required(podAntiAffinity),
    preferredAffinity: [...preferred(podAffinity, 1), ...preferred(podAntiAffinity, -1)],
  };
}

function claims({ metadata, spec }: DeepReadonly<Pod>): readonly string[] {
  let found: string[] | undefined;
  for (const volume of spec.volumes ?? NONE) {
    const name =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral === undefined ? undefined : `${metadata.name}-${volume.name}`);
    if (name === undefined) continue;
    found ??= [];
    found.push(`${metadata.namespace}/${name}`);
  }
  return found ?? NONE;
}
