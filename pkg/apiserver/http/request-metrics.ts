import type { ResourceDefinition } from '../../api/definition.ts';
import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { RequestInfo } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import { isLongRunning } from '../request/request-info.ts';

/** The label sets of one kind of request: finding a child by its labels costs more than counting. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly duration: Histogram.Internal<string>;
  readonly objective: Histogram.Internal<string>;
  readonly size: Histogram.Internal<string>;
  readonly totals: Map<number, Counter.Internal>;
}

/** Upstream's request metrics. */
export class RequestMetrics {
  readonly #definitions: Definitions;
  readonly #series = new WeakMap<ResourceDefinition, Map<string, Series>>();
  readonly #underWay = { readOnly: 0, mutating: 0 };
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #objective: Histogram;
  readonly #size: Histogram;
  readonly #terminations: Counter;
  /** Every request counts: a number costs less than a metric. */
  readonly #authentications = { success: 0, failure: 0 };
  readonly #watchEvents: Counter;
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
    this.#objective = new Histogram({
      name: 'apiserver_request_sli_duration_seconds',
      help: 'As apiserver_request_duration_seconds, without what requests waited for a seat.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
      buckets: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
      registers,
    });
    this.#size = new Histogram({
      name: 'apiserver_response_sizes',
      help: 'Bytes of the answers to reads, before compression.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
      buckets: [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000],
      registers,
    });
    this.#terminations = new Counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that were refused to protect the server.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component', 'code'],
      registers,
    });
    const authentications = this.#authentications;
    new Counter({
      name: 'authentication_attempts',
      help: 'Requests by the result of their authentication.',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        for (const result of ['success', 'failure'] as const) this.inc({ result }, authentications[result]);
      },
    });
    this.#watchEvents = new Counter({
      name: 'apiserver_watch_events_total',
      help: 'Events that were sent to watches over HTTP.',
      labelNames: ['group', 'version', 'resource'],
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

  /** A request that was refused since there is too much to do. */
  terminated(info: RequestInfo, code: number): void {
    const definition = this.#definitions.get(info.group, info.version, info.resource);
    this.#terminations.inc({ ...this.#labels(info, definition), component: 'apiserver', code: String(code) });
  }

  authenticated(result: 'success' | 'failure'): void {
    this.#authentications[result]++;
  }

  /** The counter of a watch's events. */
  watchEvents({ type }: ResourceDefinition): Counter.Internal {
    return this.#watchEvents.labels({ group: type.group, version: type.version, resource: type.resource });
  }

  /** `waitedMs`: of it, for a seat. `bytes`: of the body. */
  end(
    info: RequestInfo,
    code: number,
    answer: { readonly tookMs: number; readonly waitedMs: number; readonly bytes: number },
  ): void {
    const { tookMs, waitedMs, bytes } = answer;
    const series = this.#seriesOf(info);
    if (isLongRunning(info)) {
      this.#longRunning.dec(this.#longRunningLabels(info));
    } else {
      this.#underWay[kindOf(info)]--;
      series.duration.observe(tookMs / 1000);
      series.objective.observe((tookMs - waitedMs) / 1000);
      if (info.verb === 'get' || info.verb === 'list') series.size.observe(bytes);
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
    return {
      labels,
      duration: this.#duration.labels(labels),
      objective: this.#objective.labels(labels),
      size: this.#size.labels(labels),
      totals: new Map(),
    };
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
