import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { quantityMilliValue } from '../../api/quantity.ts';
import { type Container, isSidecar, type Pod } from '../types.ts';

/** Whether containers of the pod may have something to themselves: a Guaranteed one whose containers say each what they need. */
export function givesExclusively(pod: Pod): boolean {
  const { requests = {}, limits = {} } = pod.spec.resources ?? {};
  const podLevel = Object.keys(requests).length + Object.keys(limits).length > 0;
  return !podLevel && podQOS(pod.spec as ApiPodSpec) === 'Guaranteed';
}

/** How many CPUs a container is to have to itself: 0 unless it asks for a whole number. */
export function exclusiveCPUs(pod: Pod, container: Container): number {
  const milliCPU = quantityMilliValue(container.resources?.requests?.['cpu'] ?? '0');
  return milliCPU % 1000 === 0 && givesExclusively(pod) ? milliCPU / 1000 : 0;
}

/** How much of something the whole pod needs at a time: `of` tells what one container does. */
export function podNeed({ spec }: Pod, of: (container: Container) => number): number {
  let sidecars = 0;
  let init = 0;
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars += of(container);
    else init = Math.max(init, sidecars + of(container));
  }
  return Math.max(
    init,
    spec.containers.reduce((sum, container) => sum + of(container), sidecars),
  );
}

/** An init container that ends before the app containers start: they may have what it had. */
export function isRegularInit({ spec }: Pod, container: Container): boolean {
  return !isSidecar(container) && spec.initContainers?.some(({ name }) => name === container.name) === true;
}
