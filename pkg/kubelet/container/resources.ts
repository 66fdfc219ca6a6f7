import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import { podLimits, podRequests } from '../../api/scheduling/pod-requests.ts';
import type { LinuxContainerResources } from '../../cri/index.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';
import { oomScoreAdj } from './oom-score.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;
/** A prefix of resources; the rest is a page size. */
const HUGEPAGES = 'hugepages-';

export function cpuShares(milliCPU: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCPU * 1024) / 1000)));
}

export function cpuQuota(milliCPU: number): number {
  return milliCPU === 0 ? 0 : Math.max(MIN_QUOTA_US, Math.floor((milliCPU * CPU_PERIOD_US) / 1000));
}

/** Of this machine. */
export interface MachineLimits {
  readonly memoryBytes: number;
  /** The lowest oom_score_adj that it lets us give. */
  readonly minOOMScoreAdj: number;
  /** Sizes (`2Mi`) of huge pages that can be limited. */
  readonly limitedPageSizes: readonly string[];
}

/** The kernel's name of a page size, which has no i: `2MB`. */
export function kernelPageSize(size: string): string {
  return `${size.replace(/i$/, '')}B`;
}

export function containerResources(
  pod: Pod,
  container: Container | EphemeralContainer,
  { memoryBytes: nodeMemoryBytes, minOOMScoreAdj, limitedPageSizes }: MachineLimits,
): LinuxContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const request = requests['cpu'] ?? limits['cpu'];
  // Who asks for no pages of a size gets none.
  const none = Object.fromEntries(limitedPageSizes.map((size) => [`${HUGEPAGES}${size}`, '0']));
  const pages = Object.entries({ ...none, ...limits })
    .filter(([name]) => name.startsWith(HUGEPAGES))
    .map(([name, amount]) => ({
      pageSize: kernelPageSize(name.slice(HUGEPAGES.length)),
      limit: quantityValue(amount),
    }));
  const quota = limits['cpu'] === undefined ? 0 : cpuQuota(quantityMilliValue(limits['cpu']));
  return {
    cpuShares: cpuShares(request === undefined ? 0 : quantityMilliValue(request)),
    ...(quota === 0 ? {} : { cpuQuota: quota, cpuPeriod: CPU_PERIOD_US }),
    ...(limits['memory'] === undefined ? {} : { memoryLimitInBytes: quantityValue(limits['memory']) }),
    ...(pages.length === 0 ? {} : { hugepageLimits: pages }),
    oomScoreAdj: Math.max(minOOMScoreAdj, oomScoreAdj(pod, container, nodeMemoryBytes)),
  };
}

export interface PodAmounts {
  readonly milliCPU: number;
  readonly memoryBytes: number;
}

/** A pod's effective requests or limits: containers and sidecars together, or the largest init container, plus overhead. */
export function podAmount(pod: Pod, kind: 'requests' | 'limits', resource: string): number {
  return (kind === 'requests' ? podRequests(pod.spec) : podLimits(pod.spec)).get(resource) ?? 0;
}
