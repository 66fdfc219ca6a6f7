import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import { podMatchesNode } from '../../api/scheduling/node-selector.ts';
import { untoleratedTaint } from '../../api/scheduling/tolerations.ts';
import { podAmount } from '../container/resources.ts';
import { isStaticPod } from '../labels.ts';
import type { Need } from '../preemption/victims.ts';
import { type Node, type Pod, specContainers } from '../types.ts';
import { isCritical } from './critical.ts';
import type { PodFailure } from './pod-status.ts';
import { forbiddenSysctl } from './sysctls.ts';

const OS_LABEL = 'kubernetes.io/os';

export interface AdmissionInput {
  readonly pod: Pod;
  readonly node: Node | undefined;
  /** The pods that this node already runs, without `pod`. */
  readonly others: readonly Pod[];
  readonly allocatable: Readonly<Record<string, string>>;
  readonly features: NodeFeatures;
  /** Sysctls that pods may set beside the safe ones: names, or prefixes that end in `*`. */
  readonly allowedUnsafeSysctls: readonly string[];
}

/** What pods may ask for and not every machine or runtime has. */
export interface NodeFeatures {
  readonly appArmor: boolean;
  /** The runtime knows supplementalGroupsPolicy. */
  readonly supplementalGroupsPolicy: boolean;
  readonly recursiveReadOnlyMounts: boolean;
}

/** The node does not take the pod, or takes it when others have made room. */
export type Refusal = { readonly failure: PodFailure } | { readonly needs: readonly Need[] };

/** The node's own check of a pod (the scheduler may not have been asked): undefined when the node takes it. Pure. */
export function admitPod(input: AdmissionInput): Refusal | undefined {
  const early = unsupported(input);
  if (early !== undefined) return { failure: early };
  const refusal = unplaceable(input);
  if (refusal !== undefined && 'failure' in refusal) return refusal;
  if (input.features.appArmor || !wantsAppArmor(input.pod)) return refusal;
  const message = 'Cannot enforce AppArmor: AppArmor is not enabled on the host';
  return { failure: { reason: 'AppArmor', message } };
}

/** What the pod asks for and this node cannot give or does not allow, whoever else is here. */
function unsupported({ pod, features, allowedUnsafeSysctls }: AdmissionInput): PodFailure | undefined {
  const sysctl = forbiddenSysctl(pod, allowedUnsafeSysctls);
  if (sysctl !== undefined) return { reason: 'SysctlForbidden', message: sysctl };
  if ((pod.metadata.labels?.[OS_LABEL] ?? 'linux') !== 'linux') {
    const message = `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`;
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message };
  }
  if ((pod.spec.os?.name ?? 'linux') !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  if (!features.supplementalGroupsPolicy && pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict') {
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    };
  }
  return undefined;
}

function wantsAppArmor({ spec }: Pod): boolean {
  const profiles = [spec, ...specContainers(spec).map(({ container }) => container)].map(
    ({ securityContext }) => securityContext?.appArmorProfile?.type,
  );
  return profiles.some((type) => type !== undefined && type !== 'Unconfined');
}

/** A critical pod is not refused for lack of anything: what it lacks is to be made free, if nothing else is against it. */
function unplaceable(input: AdmissionInput): Refusal | undefined {
  const { pod, node, others, allocatable } = input;
  const shortages = findShortages(pod, others, { ...node?.status?.allocatable, ...allocatable });
  const [first] = shortages;
  if (first !== undefined && !isCritical(pod)) return { failure: outOf(first) };
  const failure = misplaced(input);
  if (failure !== undefined) return { failure };
  if (first === undefined) return undefined;
  return {
    needs: shortages.map(({ resource, requested, used, capacity }) => ({
      resource,
      amount: requested - (capacity - used),
    })),
  };
}

/** Upstream's order: node affinity, then ports, and last the taints that would have the pod evicted at once. */
function misplaced({ pod, node, others }: AdmissionInput): PodFailure | undefined {
  if (
    node !== undefined &&
    !podMatchesNode(pod.spec, { name: node.metadata.name, labels: node.metadata.labels ?? {} })
  ) {
    return predicateFailure('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  }
  if (hasHostPortConflict(pod, others)) {
    return predicateFailure('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  }
  const { tolerations } = pod.spec;
  if (!isStaticPod(pod) && untoleratedTaint(node?.spec?.taints, tolerations, ['NoExecute']) !== undefined) {
    return predicateFailure('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

function predicateFailure(reason: string, message: string): PodFailure {
  return { reason, message: `Predicate ${reason} failed: ${message}` };
}

/** A resource that the pod asks for more of than the other pods leave. */
interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** Extended resources that the node does not have are somebody else's to give. */
function findShortages(pod: Pod, others: readonly Pod[], allocatable: Readonly<Record<string, string>>): Shortage[] {
  const found: Shortage[] = [];
  const pods = quantityValue(allocatable['pods'] ?? '110');
  if (others.length + 1 > pods) found.push({ resource: 'pods', requested: 1, used: others.length, capacity: pods });
  for (const resource of new Set(['cpu', 'memory', 'ephemeral-storage', ...Object.keys(allocatable)])) {
    const requested = podAmount(pod, 'requests', resource);
    if (resource === 'pods' || requested === 0) continue;
    const value = resource === 'cpu' ? quantityMilliValue : quantityValue;
    const used = others.reduce((sum, other) => sum + podAmount(other, 'requests', resource), 0);
    const capacity = value(allocatable[resource] ?? '0');
    if (used + requested > capacity) found.push({ resource, requested, used, capacity });
  }
  return found;
}

function outOf({ resource, requested, used, capacity }: Shortage): PodFailure {
  const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${resource}`, message };
}

function hostPorts(pod: Pod): { ip: string; port: number; protocol: string }[] {
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always'),
  ];
  return containers.flatMap(({ ports = [] }) =>
    ports
      .map(({ hostIP, hostPort, containerPort, protocol = 'TCP' }) => ({
        ip: hostIP || '0.0.0.0',
        port: hostPort ?? (pod.spec.hostNetwork === true ? containerPort : 0),
        protocol,
      }))
      .filter(({ port }) => port > 0),
  );
}

function hasHostPortConflict(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const taken = others.flatMap(hostPorts);
  const any = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';
  return wanted.some((one) =>
    taken.some(
      (other) =>
        one.port === other.port &&
        one.protocol === other.protocol &&
        (any(one.ip) || any(other.ip) || one.ip === other.ip),
    ),
  );
}
