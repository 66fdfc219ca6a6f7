import { resources } from '../../api/generated/resources.ts';
import type { ResourceType } from '../../api/object.ts';
import { parseYAML } from '../../api/schema/yaml.ts';
import { systemClock } from '../../base/clock.ts';
import { createMetrics } from '../../base/metrics.ts';
import { type ManifestObject, parseManifest } from '../../deploy/index.ts';
import { MemoryStore } from '../../storage/index.ts';
import { LOCAL_KINDS, localObjects } from './local-objects.ts';

const TYPES = new Map<string, ResourceType<unknown>>([
  ['Pod', resources.pods],
  ['ConfigMap', resources.configmaps],
  ['Secret', resources.secrets],
]);

/**
 * The objects of a manifest that can run without a cluster, checked as an API server would. Throws ManifestError for what cannot
 * be read, StatusError for what is not valid, both with the object's name.
 */
export async function checkManifest(name: string, text: string): Promise<ManifestObject[]> {
  const objects = await parseManifest({ name, text }, parseYAML);
  const stop = new AbortController();
  const registry = localObjects('local', { store: new MemoryStore(), clock: systemClock, metrics: createMetrics() });
  const loaded = Promise.withResolvers<void>();
  const running = registry.run(stop.signal, loaded.resolve);
  try {
    await Promise.race([loaded.promise, running]);
    for (const object of objects) {
      const type = object.apiVersion === 'v1' ? TYPES.get(object.kind) : undefined;
      if (type === undefined) {
        throw new Error(
          `${name}: ${object.apiVersion} ${object.kind} "${object.metadata.name}" needs a cluster: only ${LOCAL_KINDS.join(', ')} run without one`,
        );
      }
      const { namespace = 'default' } = object.metadata;
      await registry.transport.request({
        verb: 'create',
        type: type as ResourceType,
        namespace,
        body: { ...object, metadata: { ...object.metadata, namespace } },
        query: { fieldValidation: 'Strict' },
      });
    }
    return objects;
  } finally {
    stop.abort();
    await running;
  }
}
