import { formatQuantity, quantityOf, quantityValue } from '../../api/quantity.ts';
import type { Pod } from '../types.ts';
import type { PodUsage } from './pod-usage.ts';
import { amountOf, type Observation, SIGNAL_FACTS, type Threshold } from './thresholds.ts';

/** Upstream's text for a pod that goes because the node has too little of something. Pure. */
export function pressureMessage(
  pod: Pod,
  usage: PodUsage | undefined,
  threshold: Threshold,
  seen: Observation | undefined,
): string {
  const { resource } = SIGNAL_FACTS[threshold.signal];
  let text = `The node was low on resource: ${resource}. `;
  if (seen !== undefined) {
    const wanted = quantityText(amountOf(threshold.value, seen.capacity), resource);
    text += `Threshold quantity: ${wanted}, available: ${quantityText(seen.available, resource)}. `;
  }
  for (const { name, used, request } of offenders(pod, usage, resource)) {
    text += `Container ${name} was using ${used}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return text;
}

/** What the event of an eviction tells programs. Pure. */
export function pressureAnnotations(
  pod: Pod,
  usage: PodUsage | undefined,
  threshold: Threshold,
): Record<string, string> {
  if (usage === undefined) return {};
  const { resource } = SIGNAL_FACTS[threshold.signal];
  const found = offenders(pod, usage, resource);
  return {
    offending_containers: found.map(({ name }) => name).join(','),
    offending_containers_usage: found.map(({ used }) => used).join(','),
    starved_resource: resource,
  };
}

type Resource = (typeof SIGNAL_FACTS)[Threshold['signal']]['resource'];

/** The containers that use more than they requested of what can be requested. */
function offenders(
  pod: Pod,
  usage: PodUsage | undefined,
  resource: Resource,
): { readonly name: string; readonly used: string; readonly request: string }[] {
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return [];
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ name, resources }) => {
    const container = usage?.containers.get(name);
    if (container === undefined) return [];
    const used = resource === 'memory' ? container.memoryBytes : container.disk.bytes;
    const request = resources?.requests?.[resource] ?? '0';
    return used <= quantityValue(request) ? [] : [{ name, used: quantityText(used, resource), request }];
  });
}

function quantityText(amount: number, resource: string): string {
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage';
  return formatQuantity(quantityOf(Math.trunc(amount), isBytes ? 'BinarySI' : 'DecimalSI'));
}
