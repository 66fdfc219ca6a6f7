import type { ResourceDefinition } from '../api/definition.ts';
import { KUBERNETES_VERSION } from '../api/version.ts';
import { Gauge, Histogram, type Metrics } from '../base/metrics.ts';
import type { Definitions } from './definitions.ts';
import { storedType, type WatchCache } from './watchcache/watch-cache.ts';

/** What is stored, counted when it is scraped, and the version of the server. */
export function registerServerMetrics(metrics: Metrics, definitions: Definitions, cache: WatchCache): void {
  const registers = [metrics];
  const counts = (): Map<string, { group: string; resource: string; size: number }> => {
    const found = new Map<string, { group: string; resource: string; size: number }>();
    for (const definition of definitions.all()) {
      if (!definition.verbs.includes('list')) continue;
      const type = storedType(definition);
      const { group, resource } = type;
      found.set(`${resource}.${group}`, { group, resource, size: cache.cacheOf(type).size });
    }
    return found;
  };
  new Gauge({
    name: 'apiserver_storage_objects',
    help: 'Stored objects by resource.',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset();
      for (const { group, resource, size } of counts().values())
        this.set({ resource: group === '' ? resource : `${resource}.${group}` }, size);
    },
  });
  new Gauge({
    name: 'apiserver_resource_objects',
    help: 'Stored objects by group and resource.',
    labelNames: ['group', 'resource'],
    registers,
    collect() {
      this.reset();
      for (const { group, resource, size } of counts().values()) this.set({ group, resource }, size);
    },
  });
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
  new Gauge({
    name: 'kubernetes_build_info',
    help: 'The version of Kubernetes that is served.',
    labelNames: ['major', 'minor', 'git_version', 'platform'],
    registers,
  }).set(
    {
      major,
      minor,
      git_version: KUBERNETES_VERSION,
      platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    },
    1,
  );
}

export type StoreOperation = 'create' | 'update' | 'delete';

/** How long the store takes for writes, under the name that upstream has for etcd. */
export class StorageMetrics {
  readonly #duration: Histogram;
  readonly #series = new WeakMap<ResourceDefinition, Map<StoreOperation, Histogram.Internal<string>>>();

  constructor(metrics: Metrics) {
    this.#duration = new Histogram({
      name: 'etcd_request_duration_seconds',
      help: 'Time of writes to the store, until they are durable.',
      labelNames: ['operation', 'type'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30],
      registers: [metrics],
    });
  }

  observe(operation: StoreOperation, definition: ResourceDefinition, tookMs: number): void {
    let series = this.#series.get(definition);
    if (series === undefined) {
      series = new Map();
      this.#series.set(definition, series);
    }
    let one = series.get(operation);
    if (one === undefined) {
      const { group, resource } = storedType(definition);
      one = this.#duration.labels({ operation, type: `/registry/${group === '' ? '' : `${group}/`}${resource}` });
      series.set(operation, one);
    }
    one.observe(tookMs / 1000);
  }
}
