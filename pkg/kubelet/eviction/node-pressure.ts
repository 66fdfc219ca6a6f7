import type { PodSpec as ApiPodSpec } from '../../api/generated/types.ts';
import { podQOS } from '../../api/kinds/pod-qos.ts';
import { isCritical } from '../pod/critical.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import type { Pod } from '../types.ts';
import type { PressureType } from './thresholds.ts';

/** What the node is short of: set by the eviction manager, read by whoever reports it or takes new pods. */
export class NodePressure {
  #types: ReadonlySet<PressureType> = new Set();

  get types(): ReadonlySet<PressureType> {
    return this.#types;
  }

  set(types: ReadonlySet<PressureType>): void {
    this.#types = types;
  }

  /** Why a new pod may not come now; undefined when it may. Upstream: the eviction manager's Admit. */
  refusal(pod: Pod): PodFailure | undefined {
    if (this.#types.size === 0 || isCritical(pod)) return undefined;
    if (this.#types.size === 1 && this.#types.has('MemoryPressure') && bearsMemoryPressure(pod)) return undefined;
    return { reason: 'Evicted', message: `The node had condition: [${[...this.#types].sort().join(' ')}]. ` };
  }
}

/** It has memory of its own by its requests, or says that it can do without. */
function bearsMemoryPressure({ spec }: Pod): boolean {
  if (podQOS(spec as ApiPodSpec) !== 'BestEffort') return true;
  return (spec.tolerations ?? []).some(
    ({ key = '', operator = 'Equal', effect = '' }) =>
      (effect === '' || effect === 'NoSchedule') &&
      ((operator === 'Exists' && key === '') || key === 'node.kubernetes.io/memory-pressure'),
  );
}
