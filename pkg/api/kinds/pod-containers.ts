import type { DeepReadonly } from '../../base/json.ts';
import type { Container, EphemeralContainer, PodSpec } from '../generated/types.ts';

export type AnyContainer = DeepReadonly<Container | EphemeralContainer>;

/** Every container of a pod with its path, in upstream's order: init, main and ephemeral containers. */
export function* containersOf(spec: DeepReadonly<PodSpec>, path: string): Generator<[AnyContainer, string]> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const containers = spec[list] ?? [];
    for (let i = 0; i < containers.length; i++) {
      const container = containers[i];
      if (container) yield [container, `${path}.${list}[${i}]`];
    }
  }
}
