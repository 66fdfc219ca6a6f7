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
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return text;
  for (const { name, resources } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    const container = usage?.containers.get(name);
    if (container === undefined) continue;
    const used = resource === 'memory' ? container.memoryBytes : container.disk.bytes;
    const request = resources?.requests?.[resource] ?? '0';
    if (used <= quantityValue(request)) continue;
    const amount = quantityText(used, resource);
    text += `Container ${name} was using ${amount}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return text;
}

function quantityText(amount: number, resource: string): string {
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage';
  return formatQuantity(quantityOf(Math.trunc(amount), isBytes ? 'BinarySI' : 'DecimalSI'));
}
