import type { ResourceDefinition } from '../../api/definition.ts';
import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { RequestInfo } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import { isLongRunning } from '../request/request-info.ts';

/** The label sets of one kind of request: finding a child by its labels costs more than counting. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly duration: Histogram.Internal<string>;
  readonly totals: Map<number, Counter.Internal>;
}

/** Upstream's request metrics. */
export class RequestMetrics {
  readonly #definitions: Definitions;
  readonly #series = new WeakMap<ResourceDefinition, Map<string, Series>>();
  readonly #underWay = { readOnly: 0, mutating: 0 };
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #longRunning: Gauge;

  constructor(metrics: Metrics, definitions: Definitions) {
    this.#definitions = definitions;
    const registers = [metrics];
    this.#total = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, resource and response code.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'code'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its answer, without watches.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30],
      registers,
    });
    const underWay = this.#underWay;
    new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests under way, without watches and streams.',
      labelNames: ['request_kind'],
      registers,
      collect() {
        this.set({ request_kind: 'readOnly' }, underWay.readOnly);
        this.set({ request_kind: 'mutating' }, underWay.mutating);
      },
    });
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches and streams under way.',
      labelNames: ['verb', 'resource', 'subresource'],
      registers,
    });
  }

  begin(info: RequestInfo): void {
    if (isLongRunning(info)) this.#longRunning.inc(this.#longRunningLabels(info));
    else this.#underWay[kindOf(info)]++;
  }

  end(info: RequestInfo, code: number, durationMs: number): void {
    const series = this.#seriesOf(info);
    if (isLongRunning(info)) {
      this.#longRunning.dec(this.#longRunningLabels(info));
    } else {
      this.#underWay[kindOf(info)]--;
      series.duration.observe(durationMs / 1000);
    }
    let total = series.totals.get(code);
    if (total === undefined) {
      total = this.#total.labels({ ...series.labels, code: String(code) });
      series.totals.set(code, total);
    }
    total.inc();
  }

  #seriesOf(info: RequestInfo): Series {
    const definition = this.#definitions.get(info.group, info.version, info.resource);
    if (definition === undefined) return this.#newSeries(info);
    let known = this.#series.get(definition);
    if (known === undefined) {
      known = new Map();
      this.#series.set(definition, known);
    }
    const { verb, subresource, scope } = this.#labels(info, definition);
    const key = `${verb}/${subresource}/${scope}`;
    let series = known.get(key);
    if (series === undefined) {
      series = this.#newSeries(info, definition);
      known.set(key, series);
    }
    return series;
  }

  #newSeries(info: RequestInfo, definition?: ResourceDefinition): Series {
    const labels = this.#labels(info, definition);
    return { labels, duration: this.#duration.labels(labels), totals: new Map() };
  }

  /** Only what is served becomes a label: clients must not be able to make labels without end. */
  #labels(info: RequestInfo, definition: ResourceDefinition | undefined): RequestLabels {
    const verb = METHODS[info.verb] ?? 'other';
    if (definition === undefined) return { verb, group: '', version: '', resource: '', subresource: '', scope: '' };
    const { group, version, resource } = info;
    const known = info.subresource !== '' && definition.subresources.some(({ name }) => name === info.subresource);
    return { verb, group, version, resource, subresource: known ? info.subresource : '', scope: scopeOf(info) };
  }

  #longRunningLabels(info: RequestInfo): Record<string, string> {
    const definition = this.#definitions.get(info.group, info.version, info.resource);
    const { verb, resource, subresource } = this.#labels(info, definition);
    return { verb, resource, subresource };
  }
}

type RequestLabels = Record<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope', string>;

const METHODS: Readonly<Record<string, string>> = {
  create: 'POST',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  head: 'HEAD',
  list: 'LIST',
  options: 'OPTIONS',
  patch: 'PATCH',
  post: 'POST',
  proxy: 'PROXY',
  put: 'PUT',
  update: 'PUT',
  watch: 'WATCH',
};

function kindOf(info: RequestInfo): 'readOnly' | 'mutating' {
  return info.verb === 'get' || info.verb === 'list' ? 'readOnly' : 'mutating';
}

function scopeOf(info: RequestInfo): string {
  if (info.name !== '') return 'resource';
  if (info.namespace !== '') return 'namespace';
  return info.isResourceRequest ? 'cluster' : '';
}
