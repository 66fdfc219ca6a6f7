import type { LinuxContainerResources } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { formatCPUSet } from '../cpus/cpu-set.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';
import { containerResources } from './resources.ts';

/** What a container gets of the machine: amounts, and the CPUs and NUMA nodes that it runs on where managers decide that. */
export function linuxResources(
  pod: Pod,
  container: Container | EphemeralContainer,
  { machine, managers: { cpus, memory } }: KubeletContext,
): LinuxContainerResources {
  const { uid } = pod.metadata;
  const { cpuQuota, cpuPeriod, ...amounts } = containerResources(pod, container, machine);
  const nodes = memory?.nodesOf(uid, container.name) ?? [];
  return {
    ...amounts,
    // Who has CPUs to himself uses all of them: a quota would only stop him now and then.
    ...(cpuQuota === undefined || cpus?.exclusive(uid, container.name) !== undefined ? {} : { cpuQuota, cpuPeriod }),
    ...(cpus === undefined ? {} : { cpusetCpus: formatCPUSet(cpus.cpusOf(uid, container.name)) }),
    ...(nodes.length === 0 ? {} : { cpusetMems: nodes.join(',') }),
  };
}
