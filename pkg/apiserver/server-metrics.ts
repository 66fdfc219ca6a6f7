import type { ResourceDefinition } from '../api/definition.ts';
import { KUBERNETES_VERSION } from '../api/version.ts';
import { Counter, Gauge, type Metrics } from '../base/metrics.ts';
import { type CounterSeries, type HistogramSeries, TallyCounter, TallyHistogram } from '../base/tallies.ts';
import type { Definitions } from './definitions.ts';
import type { ResourceCache } from './watchcache/resource-cache.ts';
import { storedType, type WatchCache } from './watchcache/watch-cache.ts';

interface StoredResource {
  readonly group: string;
  readonly resource: string;
  readonly cache: ResourceCache;
}

/** What is read of each stored resource when it is scraped. */
const COUNTERS: readonly [name: string, help: string, read: (cache: ResourceCache) => number][] = [
  ['apiserver_storage_events_received_total', 'Events from the store.', ({ events }) => events],
  ['apiserver_watch_cache_events_received_total', 'Events that the watch cache has taken up.', ({ events }) => events],
  ['apiserver_watch_cache_events_dispatched_total', 'Events that watchers were looked for.', ({ events }) => events],
  ['apiserver_cache_list_total', 'Lists served from the watch cache.', ({ lists }) => lists.served],
  ['apiserver_cache_list_fetched_objects_total', 'Objects that these have looked at.', ({ lists }) => lists.fetched],
  ['apiserver_cache_list_returned_objects_total', 'Objects that these have returned.', ({ lists }) => lists.returned],
];
const GAUGES: typeof COUNTERS = [
  ['apiserver_resource_objects', 'Stored objects by group and resource.', ({ size }) => size],
  [
    'apiserver_resource_size_estimate_bytes',
    'Size of the stored objects, about.',
    ({ size, averageBytes }) => size * averageBytes,
  ],
  ['apiserver_watch_cache_resource_version', 'The newest version in the watch cache.', ({ lastChange }) => lastChange],
];

/** What is stored, counted when it is scraped, and the version of the server. */
export function registerServerMetrics(metrics: Metrics, definitions: Definitions, cache: WatchCache): void {
  const registers = [metrics];
  const stored = (): Iterable<StoredResource> => {
    const found = new Map<ResourceCache, StoredResource>();
    for (const definition of definitions.all()) {
      if (!definition.verbs.includes('list')) continue;
      const type = storedType(definition);
      const held = cache.cacheOf(type);
      found.set(held, { group: type.group, resource: type.resource, cache: held });
    }
    return found.values();
  };
  new Gauge({
    name: 'apiserver_storage_objects',
    help: 'Stored objects by resource.',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset();
      for (const { group, resource, cache: held } of stored())
        this.set({ resource: group === '' ? resource : `${resource}.${group}` }, held.size);
    },
  });
  for (const [name, help, read] of GAUGES) {
    new Gauge({
      name,
      help,
      labelNames: ['group', 'resource'],
      registers,
      collect() {
        this.reset();
        for (const { group, resource, cache: held } of stored()) this.set({ group, resource }, read(held));
      },
    });
  }
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name,
      help,
      labelNames: ['group', 'resource'],
      registers,
      collect() {
        this.reset();
        for (const { group, resource, cache: held } of stored()) this.inc({ group, resource }, read(held));
      },
    });
  }
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

export type StoreOperation = 'create' | 'update' | 'delete' | 'list';

interface OperationSeries {
  readonly duration: HistogramSeries;
  readonly requests: CounterSeries;
  readonly errors: CounterSeries;
}

const OPERATION_LABELS = ['operation', 'group', 'resource'] as const;
type OperationLabel = (typeof OPERATION_LABELS)[number];

/** How long the store takes, under the names that upstream has for etcd. */
export class StorageMetrics {
  readonly #duration: TallyHistogram<OperationLabel>;
  readonly #requests: TallyCounter<OperationLabel>;
  readonly #errors: TallyCounter<OperationLabel>;
  readonly #series = new WeakMap<ResourceDefinition, Map<StoreOperation, OperationSeries>>();

  constructor(metrics: Metrics) {
    const labelNames = OPERATION_LABELS;
    this.#duration = new TallyHistogram(
      {
        name: 'etcd_request_duration_seconds',
        help: 'Time of requests to the store; of writes, until they are durable.',
        labelNames,
        buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
      },
      metrics,
    );
    this.#requests = new TallyCounter(
      { name: 'etcd_requests_total', help: 'Requests to the store.', labelNames },
      metrics,
    );
    this.#errors = new TallyCounter(
      { name: 'etcd_request_errors_total', help: 'Requests that the store could not serve.', labelNames },
      metrics,
    );
  }

  observe(operation: StoreOperation, definition: ResourceDefinition, tookMs: number): void {
    const { duration, requests } = this.#seriesOf(operation, definition);
    duration.observe(tookMs / 1000);
    requests.inc();
  }

  failed(operation: StoreOperation, definition: ResourceDefinition): void {
    const { requests, errors } = this.#seriesOf(operation, definition);
    requests.inc();
    errors.inc();
  }

  #seriesOf(operation: StoreOperation, definition: ResourceDefinition): OperationSeries {
    let series = this.#series.get(definition);
    if (series === undefined) {
      series = new Map();
      this.#series.set(definition, series);
    }
    let one = series.get(operation);
    if (one === undefined) {
      const { group, resource } = storedType(definition);
      const labels = { operation, group, resource };
      one = {
        duration: this.#duration.labels(labels),
        requests: this.#requests.labels(labels),
        errors: this.#errors.labels(labels),
      };
      series.set(operation, one);
    }
    return one;
  }
}
